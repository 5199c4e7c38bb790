"""The attacks of the catalogue, in its order."""
import importlib

ALL = [attack for module in ("cost", "bypass", "exhaustion", "parsing", "spoofing", "local")
       for attack in importlib.import_module(f"attack.attacks.{module}").ALL]
