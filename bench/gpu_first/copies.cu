// Copies over PCIe and within the device, and reading alone.
#include <cub/device/device_reduce.cuh>

#include "bench/gpu_first/gpu.cuh"

namespace windrow::gpu_first {
namespace {

constexpr std::size_t bytes_min = std::size_t{64} << 10U, bytes_max = std::size_t{1} << 30U;

void copy(void* to, void const* from, std::size_t bytes, cudaMemcpyKind kind, cudaStream_t stream) {
  check(cudaMemcpyAsync(to, from, bytes, kind, stream), "cudaMemcpyAsync");
}

// Both directions at once: `stream` waits for `other`.
void copy_both(Gpu& gpu, Memory const& device, Memory const& device_out, Memory const& host,
               Memory const& host_out, std::size_t bytes, cudaEvent_t fork, cudaEvent_t join) {
  check(cudaEventRecord(fork, gpu.stream), "cudaEventRecord");
  check(cudaStreamWaitEvent(gpu.other, fork, 0), "cudaStreamWaitEvent");
  copy(device.as(), host.as(), bytes, cudaMemcpyHostToDevice, gpu.stream);
  copy(host_out.as(), device_out.as(), bytes, cudaMemcpyDeviceToHost, gpu.other);
  check(cudaEventRecord(join, gpu.other), "cudaEventRecord");
  check(cudaStreamWaitEvent(gpu.stream, join, 0), "cudaStreamWaitEvent");
}

void measure_pcie(Gpu& gpu, Place place, char const* name) {
  Memory const device(Place::device, bytes_max), device_out(Place::device, bytes_max);
  Memory const host(place, bytes_max), host_out(place, bytes_max);
  cudaEvent_t fork = nullptr, join = nullptr;
  check(cudaEventCreateWithFlags(&fork, cudaEventDisableTiming), "cudaEventCreate");
  check(cudaEventCreateWithFlags(&join, cudaEventDisableTiming), "cudaEventCreate");
  for (std::size_t bytes = bytes_min; bytes <= bytes_max; bytes *= gpu.quick ? 16 : 4) {
    auto const rate = [&](double seconds) { return static_cast<double>(bytes) / seconds * 1e-9; };
    double const in = rate(gpu.seconds(
        [&] { copy(device.as(), host.as(), bytes, cudaMemcpyHostToDevice, gpu.stream); }));
    double const out = rate(gpu.seconds(
        [&] { copy(host.as(), device.as(), bytes, cudaMemcpyDeviceToHost, gpu.stream); }));
    Line line("copy_pcie");
    line.text("host", name).count("bytes", bytes).number("h2d_gb_s", in).number("d2h_gb_s", out);
    if (place == Place::pinned) {  // of pageable memory a copy blocks: there is no both at once
      line.number("both_gb_s_each", rate(gpu.seconds([&] {
                    copy_both(gpu, device, device_out, host, host_out, bytes, fork, join);
                  })));
    }
  }
  check(cudaEventDestroy(fork), "cudaEventDestroy");
  check(cudaEventDestroy(join), "cudaEventDestroy");
}

void measure_within(Gpu& gpu) {
  std::size_t const bytes = gpu.quick ? bytes_max : 4 * bytes_max;
  Memory const from(Place::device, bytes), to(Place::device, bytes);
  check(cudaMemsetAsync(from.as(), 1, bytes, gpu.stream), "cudaMemsetAsync");
  double const copied =
      gpu.seconds([&] { copy(to.as(), from.as(), bytes, cudaMemcpyDeviceToDevice, gpu.stream); });
  auto const all = static_cast<double>(bytes);
  Line("copy_within")
      .count("bytes", bytes)
      .number("copied_gb_s", all / copied * 1e-9)
      .number("read_and_written_gb_s", 2 * all / copied * 1e-9);

  auto const n = bytes / sizeof(std::uint64_t);
  std::size_t scratch_bytes = 0;
  auto const reduce = [&](void* scratch) {
    check(cub::DeviceReduce::Sum(scratch, scratch_bytes, from.as<std::uint64_t>(),
                                 to.as<std::uint64_t>(), n, gpu.stream),
          "cub::DeviceReduce");
  };
  reduce(nullptr);
  Memory const scratch(Place::device, scratch_bytes);
  double const read = gpu.seconds([&] { reduce(scratch.as()); });
  Line("reduce_u64").count("bytes", bytes).number("read_gb_s", all / read * 1e-9);
}

}  // namespace

void measure_copies(Gpu& gpu) {
  measure_pcie(gpu, Place::pinned, "pinned");
  measure_pcie(gpu, Place::pageable, "pageable");
  measure_within(gpu);
}

}  // namespace windrow::gpu_first
