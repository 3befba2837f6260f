// Atomics over memory of the device and of a block: the floor of plan B and of its overflow.
#include "bench/gpu_first/gpu.cuh"

namespace windrow::gpu_first {
namespace {

using Word = unsigned long long;  // what CUDA's atomics take
constexpr unsigned shared_places = 2048;

struct AddInteger {
  static constexpr char const* name = "u64 add";
  using Type = Word;
  __device__ static void apply(Word* at, std::size_t i) { atomicAdd(at, static_cast<Word>(i)); }
};
struct AddNumber {
  static constexpr char const* name = "f64 add";
  using Type = double;
  __device__ static void apply(double* at, std::size_t i) { atomicAdd(at, static_cast<double>(i)); }
};
struct MaxInteger {
  static constexpr char const* name = "u64 max";
  using Type = Word;
  __device__ static void apply(Word* at, std::size_t i) { atomicMax(at, static_cast<Word>(i)); }
};

// places is a power of two; 1 = all at the same address.
template <class Op>
__global__ void __launch_bounds__(threads)
    scatter(typename Op::Type* places, std::size_t mask, std::size_t n) {
  std::size_t const stride = std::size_t{gridDim.x} * blockDim.x;
  for (std::size_t i = std::size_t{blockIdx.x} * blockDim.x + threadIdx.x; i < n; i += stride) {
    Op::apply(places + (scattered(i) & mask), i);
  }
}

// All lanes of a warp that come to the same place send one of them, with their sum.
__global__ void __launch_bounds__(threads)
    scatter_combined(Word* places, std::size_t mask, std::size_t n) {
  std::size_t const stride = std::size_t{gridDim.x} * blockDim.x;
  unsigned const lane = threadIdx.x % 32;
  for (std::size_t i = std::size_t{blockIdx.x} * blockDim.x + threadIdx.x; i < n; i += stride) {
    std::size_t const place = scattered(i) & mask;
    unsigned const active = __activemask();
    unsigned const equal = __match_any_sync(active, static_cast<Word>(place));
    Word sum = 0;
    for (unsigned left = equal; left != 0; left &= left - 1) {
      sum += __shfl_sync(equal, static_cast<Word>(i), __ffs(static_cast<int>(left)) - 1);
    }
    if (lane == static_cast<unsigned>(__ffs(static_cast<int>(equal)) - 1)) {
      atomicAdd(places + place, sum);
    }
  }
}

template <class Op>
__global__ void __launch_bounds__(threads)
    scatter_shared(typename Op::Type* out, unsigned mask, std::size_t n) {
  __shared__ typename Op::Type places[shared_places];
  for (unsigned i = threadIdx.x; i < shared_places; i += blockDim.x) {
    places[i] = 0;
  }
  __syncthreads();
  std::size_t const stride = std::size_t{gridDim.x} * blockDim.x;
  for (std::size_t i = std::size_t{blockIdx.x} * blockDim.x + threadIdx.x; i < n; i += stride) {
    Op::apply(places + (static_cast<unsigned>(scattered(i)) & mask), i);
  }
  __syncthreads();
  for (unsigned i = threadIdx.x; i < shared_places; i += blockDim.x) {
    if (places[i] != 0) {
      atomicAdd(out + i, places[i]);
    }
  }
}

void report(char const* what, char const* op, std::size_t bytes, std::size_t n, double s) {
  Line(what)
      .text("op", op)
      .count("footprint_bytes", bytes)
      .number("atomics_per_s", static_cast<double>(n) / s);
}

template <class Op>
void measure_global(Gpu& gpu, Memory const& memory, std::size_t bytes, std::size_t n) {
  std::size_t const mask = bytes / sizeof(Word) - 1;
  double const s = gpu.seconds([&] {
    scatter<Op><<<gpu.blocks(), threads, 0, gpu.stream>>>(memory.as<typename Op::Type>(), mask, n);
    check(cudaGetLastError(), "scatter");
  });
  report("atomic_random", Op::name, bytes, n, s);
}

void measure_combined(Gpu& gpu, Memory const& memory, std::size_t bytes, std::size_t n) {
  double const s = gpu.seconds([&] {
    scatter_combined<<<gpu.blocks(), threads, 0, gpu.stream>>>(memory.as<Word>(),
                                                               bytes / sizeof(Word) - 1, n);
    check(cudaGetLastError(), "scatter_combined");
  });
  report("atomic_warp_combined", "u64 add", bytes, n, s);
}

template <class Op>
void measure_shared(Gpu& gpu, Memory const& memory, unsigned places, std::size_t n) {
  double const s = gpu.seconds([&] {
    scatter_shared<Op>
        <<<gpu.blocks(), threads, 0, gpu.stream>>>(memory.as<typename Op::Type>(), places - 1, n);
    check(cudaGetLastError(), "scatter_shared");
  });
  report("atomic_shared", Op::name, places * sizeof(Word), n, s);
}

}  // namespace

void measure_atomics(Gpu& gpu) {
  std::size_t const n = std::size_t{1} << (gpu.quick ? 25U : 27U);
  std::size_t const free = gpu.free_bytes();
  std::size_t largest = std::size_t{64} << 10U;
  while (largest * 16 <= (std::size_t{64} << 30U) && largest * 16 <= free / 10 * 9) {
    largest *= 16;
  }
  Memory const memory(Place::device, largest);
  check(cudaMemsetAsync(memory.as(), 0, largest, gpu.stream), "cudaMemsetAsync");
  for (std::size_t bytes = std::size_t{64} << 10U; bytes <= largest; bytes *= 16) {
    measure_global<AddInteger>(gpu, memory, bytes, n);
    measure_global<AddNumber>(gpu, memory, bytes, n);
    measure_global<MaxInteger>(gpu, memory, bytes, n);
    measure_combined(gpu, memory, bytes, n);
  }
  std::size_t const few = n / 64;  // at one place they come one after the other
  measure_global<AddInteger>(gpu, memory, sizeof(Word), few);
  measure_global<AddNumber>(gpu, memory, sizeof(Word), few);
  measure_global<MaxInteger>(gpu, memory, sizeof(Word), few);
  measure_combined(gpu, memory, sizeof(Word), few);
  check(cudaMemsetAsync(memory.as(), 0, shared_places * sizeof(Word), gpu.stream),
        "cudaMemsetAsync");
  for (unsigned const places : {shared_places, 128U, 1U}) {
    measure_shared<AddInteger>(gpu, memory, places, places == 1 ? few : n);
    measure_shared<AddNumber>(gpu, memory, places, places == 1 ? few : n);
  }
}

}  // namespace windrow::gpu_first
