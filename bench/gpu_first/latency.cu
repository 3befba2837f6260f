// What a launch, a graph, an event and a wait cost.
#include <chrono>

#include "bench/gpu_first/gpu.cuh"

namespace windrow::gpu_first {
namespace {

constexpr int repeats = 1000, nodes = 20;

__global__ void nothing() {}

template <class Body>
double us_each(Body&& body) {
  body();
  auto const from = std::chrono::steady_clock::now();
  for (int i = 0; i < repeats; ++i) {
    body();
  }
  return std::chrono::duration<double, std::micro>(std::chrono::steady_clock::now() - from)
             .count() /
         repeats;
}

void launch(cudaStream_t stream) {
  nothing<<<1, 1, 0, stream>>>();
  check(cudaGetLastError(), "nothing");
}
void wait(cudaStream_t stream) { check(cudaStreamSynchronize(stream), "cudaStreamSynchronize"); }

// `nodes` empty kernels as one graph.
cudaGraphExec_t graph_of(cudaStream_t stream) {
  cudaGraph_t graph = nullptr;
  cudaGraphExec_t ready = nullptr;
  check(cudaStreamBeginCapture(stream, cudaStreamCaptureModeThreadLocal), "cudaStreamBeginCapture");
  for (int node = 0; node < nodes; ++node) {
    launch(stream);
  }
  check(cudaStreamEndCapture(stream, &graph), "cudaStreamEndCapture");
  check(cudaGraphInstantiate(&ready, graph, 0), "cudaGraphInstantiate");
  check(cudaGraphDestroy(graph), "cudaGraphDestroy");
  return ready;
}

}  // namespace

void measure_latency(Gpu& gpu) {
  cudaStream_t const stream = gpu.stream;
  Line line("latency_us");
  int in_flight = 0;
  // Far fewer are in flight than the queue takes, so that a call does not wait for the device.
  line.number("launch_call", us_each([&] {
                launch(stream);
                if (++in_flight % 100 == 0) {
                  wait(stream);
                }
              }));
  wait(stream);
  line.number("launch_and_wait", us_each([&] {
                launch(stream);
                wait(stream);
              }));
  line.number("wait_for_nothing", us_each([&] { wait(stream); }));
  line.number("kernels_20_launched_and_waited", us_each([&] {
                for (int node = 0; node < nodes; ++node) {
                  launch(stream);
                }
                wait(stream);
              }));
  cudaGraphExec_t const graph = graph_of(stream);
  line.number("graph_of_20_launched_and_waited", us_each([&] {
                check(cudaGraphLaunch(graph, stream), "cudaGraphLaunch");
                wait(stream);
              }));
  check(cudaGraphExecDestroy(graph), "cudaGraphExecDestroy");
  cudaEvent_t event = nullptr;
  check(cudaEventCreateWithFlags(&event, cudaEventDisableTiming), "cudaEventCreate");
  line.number("event_recorded_and_waited", us_each([&] {
                check(cudaEventRecord(event, stream), "cudaEventRecord");
                check(cudaEventSynchronize(event), "cudaEventSynchronize");
              }));
  check(cudaEventDestroy(event), "cudaEventDestroy");
  Memory const device(Place::device, 64), host(Place::pinned, 64);
  line.number("four_bytes_read_back", us_each([&] {
                check(cudaMemcpyAsync(host.as(), device.as(), 4, cudaMemcpyDeviceToHost, stream),
                      "cudaMemcpyAsync");
                wait(stream);
              }));
}

}  // namespace windrow::gpu_first
