// A directory for a store that goes when the test does, and stores in it.
#pragma once

#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>

#include "cache/lmdb_cache.h"
#include "cache/store.h"
#include "findings.h"

namespace mxtrust::test {

class Place {
  public:
    Place() {
        std::string pattern = (std::filesystem::temp_directory_path() / "mxtrust-cache-XXXXXX").string();
        if (::mkdtemp(pattern.data()) == nullptr) throw std::runtime_error("no temporary directory");
        path_ = pattern;
    }
    Place(const Place&) = delete;
    Place& operator=(const Place&) = delete;
    ~Place() {
        std::error_code ignored;
        std::filesystem::remove_all(path_, ignored);
    }
    [[nodiscard]] std::string path() const { return path_; }
    [[nodiscard]] std::string data() const { return path_ + "/cache.lmdb"; }
    [[nodiscard]] std::vector<std::string> set_aside() const {
        std::vector<std::string> found;
        for (const auto& entry : std::filesystem::directory_iterator(path_)) {
            const std::string file = entry.path().filename().string();
            if (file.find(".damaged-") != std::string::npos) found.push_back(file);
        }
        return found;
    }
    [[nodiscard]] cache::StoreSettings settings() const {
        cache::StoreSettings made;
        made.directory = path_;
        made.epoch = "anchors of the test";
        made.boot_id = "this-boot";
        made.most_octets = std::uint64_t{16} << 20;
        return made;
    }

  private:
    std::string path_;
};

inline Bytes slurp(const std::string& path) {
    std::ifstream in(path, std::ios::binary);
    return {std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>()};
}
inline void spill(const std::string& path, BytesView octets) {
    std::ofstream out(path, std::ios::binary | std::ios::trunc);
    out << as_text(octets);
}

struct OpenStore {
    std::unique_ptr<cache::LmdbStore> store;
    cache::Notices notices;
};
inline OpenStore open_store(const cache::StoreSettings& settings, WallTime now = start) {
    OpenStore opened;
    auto store = cache::LmdbStore::open(settings, now, opened.notices);
    if (!store) throw std::runtime_error(store.error().text);
    opened.store = std::move(*store);
    opened.store->sync();  // what was found is looked over
    for (std::string& notice : opened.store->take_notices()) opened.notices.push_back(std::move(notice));
    return opened;
}

}  // namespace mxtrust::test
