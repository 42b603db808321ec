// Numbers, and what they are called.
#include "server/app/metric_families.h"

#include <google/protobuf/util/time_util.h>

#include <limits>
#include <span>
#include <string>
#include <utility>

namespace quern {
namespace {

using prometheus::ClientMetric;
using prometheus::MetricFamily;
using prometheus::MetricType;
using Labels = std::vector<ClientMetric::Label>;

// Of deaths, and how many.
using Cause = std::pair<const char*, uint64_t>;

double Seconds(const google::protobuf::Duration& duration) {
  return static_cast<double>(
             google::protobuf::util::TimeUtil::DurationToNanoseconds(
                 duration)) *
         1e-9;
}

// Collects families; each Add continues the family begun last.
class Families final {
 public:
  Families& Begin(MetricType type, std::string name, std::string help) {
    MetricFamily& family = families_.emplace_back();
    family.type = type;
    family.name = "quern_" + std::move(name);
    family.help = std::move(help);
    return *this;
  }

  Families& Add(double value, Labels labels = {}) {
    ClientMetric& metric = families_.back().metric.emplace_back();
    metric.label = std::move(labels);
    if (families_.back().type == MetricType::Counter) {
      metric.counter.value = value;
    } else {
      metric.gauge.value = value;
    }
    return *this;
  }

  Families& Add(const v1::LatencyHistogram& latencies, Labels labels = {}) {
    ClientMetric& metric = families_.back().metric.emplace_back();
    metric.label = std::move(labels);
    ClientMetric::Histogram& histogram = metric.histogram;
    double limit_seconds = 1e-6;
    for (int i = 0; i < latencies.counts_size(); ++i) {
      const bool last = i + 1 == latencies.counts_size();
      histogram.sample_count += latencies.counts(i);
      histogram.bucket.push_back(
          {.cumulative_count = histogram.sample_count,
           .upper_bound =
               last ? std::numeric_limits<double>::infinity() : limit_seconds});
      limit_seconds *= 2;
    }
    histogram.sample_sum = Seconds(latencies.sum());
    return *this;
  }

  void Counter(std::string name, std::string help, uint64_t value) {
    Begin(MetricType::Counter, std::move(name), std::move(help))
        .Add(static_cast<double>(value));
  }

  void Gauge(std::string name, std::string help, double value) {
    Begin(MetricType::Gauge, std::move(name), std::move(help)).Add(value);
  }

  void Deaths(std::string name, std::string help,
              std::span<const Cause> causes) {
    Begin(MetricType::Counter, std::move(name), std::move(help));
    for (const auto& [cause, count] : causes) {
      Add(static_cast<double>(count), {{"cause", cause}});
    }
  }

  std::vector<MetricFamily> Take() { return std::move(families_); }

 private:
  std::vector<MetricFamily> families_;
};

void AddCalls(const v1::GetStatsResponse& stats, Families& families) {
  families
      .Begin(MetricType::Counter, "compile_calls_total",
             "Compile calls, by whether a cache answered them.")
      .Add(static_cast<double>(stats.hits()), {{"answer", "hit"}})
      .Add(static_cast<double>(stats.misses()), {{"answer", "miss"}});
  families.Counter("compile_calls_joined_total",
                   "Misses that shared the compile of another call.",
                   stats.joined());
  families.Counter("compile_failures_total",
                   "Compile calls that ended in an error.", stats.failures());
  families.Counter("kernels_compiled_total", "Compiles that gave a kernel.",
                   stats.compiles());
  families.Gauge("compiles_queued", "Compiles that wait for a child.",
                 static_cast<double>(stats.compiles_queued()));
  families.Gauge("compiles_running", "Compiles that a child works on.",
                 static_cast<double>(stats.compiles_running()));
}

void AddLatencies(const v1::LatencyStats& latencies, Families& families) {
  families
      .Begin(MetricType::Histogram, "compile_call_seconds",
             "Time to the answer of Compile calls, by how it was found.")
      .Add(latencies.hit(), {{"answer", "hit"}})
      .Add(latencies.miss(), {{"answer", "miss"}});
  families
      .Begin(MetricType::Histogram, "compile_queue_seconds",
             "Time that compiles waited for a child.")
      .Add(latencies.queue());
  families
      .Begin(MetricType::Histogram, "compile_seconds",
             "Time that children compiled.")
      .Add(latencies.compile());
}

void AddChildren(const v1::GetStatsResponse& stats, Families& families) {
  families.Counter("children_forked_total", "Compile children forked.",
                   stats.children_forked());
  const v1::ChildDeaths& dead = stats.children_dead();
  const Cause causes[] = {{"crashed", dead.crashed()},
                          {"out_of_memory", dead.out_of_memory()},
                          {"stack_overflow", dead.stack_overflow()},
                          {"timed_out", dead.timed_out()},
                          {"denied_syscall", dead.denied_syscall()},
                          {"killed", dead.killed()},
                          {"protocol_error", dead.protocol_error()}};
  families.Deaths("children_dead_total",
                  "Compile children that ended without a result.", causes);
  families.Counter("zygote_restarts_total", "Restarts of the compile zygote.",
                   stats.zygote_restarts());
}

void AddExecutors(const v1::ExecutorStats& stats, Families& families) {
  families.Counter("executors_started_total", "Executors started.",
                   stats.started());
  families.Gauge("executors", "Executors that run.",
                 static_cast<double>(stats.running()));
  const Cause causes[] = {{"crashed", stats.crashed()},
                          {"out_of_memory", stats.out_of_memory()},
                          {"timed_out", stats.timed_out()},
                          {"denied_syscall", stats.denied_syscall()},
                          {"killed", stats.killed()},
                          {"not_confined", stats.not_confined()},
                          {"unresponsive", stats.unresponsive()}};
  families.Deaths("executors_dead_total",
                  "Executors that ended before their session.", causes);
}

void AddDisk(const v1::DiskStats& disk, Families& families) {
  families
      .Begin(MetricType::Counter, "disk_reads_total",
             "Kernels looked for on disk, by what came of it.")
      .Add(static_cast<double>(disk.hits()), {{"result", "hit"}})
      .Add(static_cast<double>(disk.misses()), {{"result", "miss"}})
      .Add(static_cast<double>(disk.late_reads()), {{"result", "late"}})
      .Add(static_cast<double>(disk.read_failures()), {{"result", "failure"}});
  families
      .Begin(MetricType::Counter, "disk_writes_total",
             "Kernels to be written to disk, by what came of it.")
      .Add(static_cast<double>(disk.writes()), {{"result", "written"}})
      .Add(static_cast<double>(disk.write_failures()), {{"result", "failure"}})
      .Add(static_cast<double>(disk.dropped_writes()), {{"result", "dropped"}});
  families.Counter("disk_bad_entries_removed_total",
                   "Damaged kernels removed from disk.",
                   disk.bad_entries_removed());
  families.Counter("disk_evictions_total",
                   "Kernels removed from disk to make room.", disk.evictions());
  families.Gauge("disk_entries", "Kernels on disk.",
                 static_cast<double>(disk.entries()));
  families.Gauge("disk_bytes", "Size of the kernels on disk.",
                 static_cast<double>(disk.size_bytes()));
}

void AddInline(const v1::InlineLaunchStats& stats, Families& families) {
  families.Counter("inline_launches_total", "Calls of LaunchService.",
                   stats.launches());
  families.Counter("inline_launch_failures_total",
                   "Calls of LaunchService that ended in an error.",
                   stats.failures());
}

void AddMemory(const v1::GetStatsResponse& stats, Families& families) {
  const v1::MemoryStats& memory = stats.memory();
  families.Gauge("kernels", "Kernels in the code cache.",
                 static_cast<double>(stats.kernels()));
  families.Counter("evictions_total", "Kernels dropped from the code cache.",
                   stats.evictions());
  families
      .Begin(MetricType::Gauge, "slabs",
             "Code slabs; the retired are mapped by a client still.")
      .Add(static_cast<double>(memory.live_slabs()), {{"state", "live"}})
      .Add(static_cast<double>(memory.retired_slabs()), {{"state", "retired"}});
  families.Gauge("slab_bytes", "Size of all code slabs.",
                 static_cast<double>(memory.slab_size_bytes()));
  families.Gauge("stored_source_bytes", "Size of the sources that are kept.",
                 static_cast<double>(memory.stored_source_size_bytes()));
  families.Gauge("resident_bytes", "Resident memory of the daemon itself.",
                 static_cast<double>(stats.resident_size_bytes()));
}

}  // namespace

std::vector<MetricFamily> MetricFamiliesOf(const v1::GetStatsResponse& stats) {
  Families families;
  AddCalls(stats, families);
  AddLatencies(stats.latencies(), families);
  AddChildren(stats, families);
  AddExecutors(stats.executors(), families);
  AddInline(stats.inline_launches(), families);
  if (stats.has_disk()) AddDisk(stats.disk(), families);
  AddMemory(stats, families);
  families.Gauge("sessions", "Attached clients.",
                 static_cast<double>(stats.sessions()));
  families.Gauge("uptime_seconds", "Time since the daemon started.",
                 Seconds(stats.uptime()));
  families
      .Begin(MetricType::Gauge, "build_info",
             "Always 1; what runs here is in the labels.")
      .Add(1, {{"version", stats.version()}, {"target", stats.target()}});
  return families.Take();
}

}  // namespace quern
