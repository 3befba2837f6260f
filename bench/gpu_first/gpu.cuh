// What every measurement of gpu_first uses: one stream, times by events, lines of JSON.
#pragma once
#include <cuda_runtime_api.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <vector>

namespace windrow::gpu_first {

// An error ends the program: what comes after one is no measurement.
inline void check(cudaError_t error, char const* call) {
  if (error != cudaSuccess) {
    std::fprintf(stderr, "gpu_first: a call should succeed: call=%s error=%d (%s)\n", call,
                 static_cast<int>(error), cudaGetErrorString(error));
    std::exit(75);
  }
}

// Memory of the device, of the host and pinned, or of the host and pageable.
enum class Place { device, pinned, pageable };
class Memory {
 public:
  Memory(Place place, std::size_t bytes) : place_(place) {
    if (place == Place::device) {
      check(cudaMalloc(&data_, bytes), "cudaMalloc");
    } else if (place == Place::pinned) {
      check(cudaMallocHost(&data_, bytes), "cudaMallocHost");
    } else {
      pageable_.resize(bytes, 1);
      data_ = pageable_.data();
    }
  }
  ~Memory() {
    if (place_ == Place::device) {
      cudaFree(data_);
    } else if (place_ == Place::pinned) {
      cudaFreeHost(data_);
    }
  }
  Memory(Memory const&) = delete;  // owns memory
  Memory& operator=(Memory const&) = delete;
  template <class T = void>
  [[nodiscard]] T* as() const {
    return static_cast<T*>(data_);
  }

 private:
  Place place_;
  void* data_ = nullptr;
  std::vector<char> pageable_;
};

//   quick  fewer and smaller sizes: about a quarter of the time
class Gpu {
 public:
  Gpu(int ordinal, bool fewer) : quick(fewer) {
    check(cudaSetDevice(ordinal), "cudaSetDevice");
    check(cudaStreamCreateWithFlags(&stream, cudaStreamNonBlocking), "cudaStreamCreate");
    check(cudaStreamCreateWithFlags(&other, cudaStreamNonBlocking), "cudaStreamCreate");
    check(cudaEventCreate(&begin_), "cudaEventCreate");
    check(cudaEventCreate(&end_), "cudaEventCreate");
    check(cudaDeviceGetAttribute(&processors, cudaDevAttrMultiProcessorCount, ordinal),
          "cudaDeviceGetAttribute");
  }
  ~Gpu() {
    cudaEventDestroy(end_);
    cudaEventDestroy(begin_);
    cudaStreamDestroy(other);
    cudaStreamDestroy(stream);
  }
  Gpu(Gpu const&) = delete;  // owns streams
  Gpu& operator=(Gpu const&) = delete;

  // Seconds that `body` takes on `stream`: the median of five, after one that is not counted.
  // What it queues elsewhere it has to join.
  template <class Body>
  double seconds(Body&& body) {
    std::vector<double> times;
    for (int repeat = 0; repeat <= 5; ++repeat) {
      check(cudaEventRecord(begin_, stream), "cudaEventRecord");
      body();
      check(cudaEventRecord(end_, stream), "cudaEventRecord");
      check(cudaEventSynchronize(end_), "cudaEventSynchronize");
      float ms = 0;
      check(cudaEventElapsedTime(&ms, begin_, end_), "cudaEventElapsedTime");
      if (repeat > 0) {
        times.push_back(static_cast<double>(ms) * 1e-3);
      }
    }
    std::sort(times.begin(), times.end());
    return times[times.size() / 2];
  }
  [[nodiscard]] std::size_t free_bytes() const {
    std::size_t free = 0, total = 0;
    check(cudaMemGetInfo(&free, &total), "cudaMemGetInfo");
    return free;
  }
  [[nodiscard]] unsigned blocks() const { return static_cast<unsigned>(processors) * 8; }

  bool const quick;
  int processors = 0;
  cudaStream_t stream = nullptr, other = nullptr;

 private:
  cudaEvent_t begin_ = nullptr, end_ = nullptr;
};

// One measurement, printed when it is complete.
class Line {
 public:
  explicit Line(std::string const& what) { text_ = "{\"what\":\"" + what + "\""; }
  ~Line() {
    std::printf("%s}\n", text_.c_str());
    std::fflush(stdout);
  }
  Line(Line const&) = delete;  // prints once
  Line& operator=(Line const&) = delete;
  Line& text(char const* name, std::string const& value) {
    text_ += std::string(",\"") + name + "\":\"";
    for (char const c : value) {
      text_ += c == '"' || c == '\\' || static_cast<unsigned char>(c) < 32 ? ' ' : c;
    }
    text_ += '"';
    return *this;
  }
  Line& count(char const* name, std::uint64_t value) {
    text_ += std::string(",\"") + name + "\":" + std::to_string(value);
    return *this;
  }
  Line& number(char const* name, double value) {
    char digits[40];
    std::snprintf(digits, sizeof digits, "%.6g", value);
    text_ += std::string(",\"") + name + "\":" + digits;
    return *this;
  }

 private:
  std::string text_;
};

// Neighbouring numbers land far apart.
__host__ __device__ inline std::uint64_t scattered(std::uint64_t x) {
  x = (x ^ (x >> 30U)) * 0xbf58476d1ce4e5b9U;
  x = (x ^ (x >> 27U)) * 0x94d049bb133111ebU;
  return x ^ (x >> 31U);
}

inline constexpr unsigned threads = 256;

// The parts, by the numbers of performance.md 4.12: each prints its lines.
void measure_copies(Gpu& gpu);   // 1, 2
void measure_sorts(Gpu& gpu);    // 3, 4
void measure_atomics(Gpu& gpu);  // 5, 6
void measure_latency(Gpu& gpu);  // 7
void measure_firing(Gpu& gpu);   // 9
void measure_host();             // 10

}  // namespace windrow::gpu_first
