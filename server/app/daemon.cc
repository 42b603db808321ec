// The object graph.
#include "server/app/daemon.h"

#include <sys/random.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <utility>
#include <vector>

#include "cache/code_cache.h"
#include "cache/code_slabs.h"
#include "cache/counting_image_store.h"
#include "cache/kernel_directory.h"
#include "cache/memory_image_store.h"
#include "cache/verifying_image_store.h"
#include "proto/wire/status.h"
#include "server/app/daemon_stats.h"
#include "server/app/diagnostics.h"
#include "server/app/kernel_disk.h"
#include "server/attach/attach_server.h"
#include "server/core/admission_queue.h"
#include "server/core/compiler_gate.h"
#include "server/core/crash_ledger.h"
#include "server/core/dispatcher.h"
#include "server/core/kernel_service.h"
#include "server/core/kernel_shelf.h"
#include "server/core/single_flight.h"
#include "server/core/source_store.h"
#include "server/executor/executor_process.h"
#include "server/executor/inline_launcher.h"
#include "server/executor/preferred_cpus.h"
#include "server/rpc/admin_service_rpc.h"
#include "server/rpc/health.h"
#include "server/rpc/kernel_service_rpc.h"
#include "server/rpc/launch_service_rpc.h"
#include "server/rpc/peers.h"
#include "server/rpc/rpc_server.h"
#include "server/workers/worker_pool.h"
#include "server/workers/zygote_process.h"

namespace quern {
namespace {

// Calls that take all the time that a drain has leave so much for the disk.
constexpr absl::Duration kLeastFlush = absl::Seconds(1);

constexpr char kCpuFolder[] = "/sys/devices/system/cpu";

// Bytes that nobody can guess. The kernel gives so few without fail.
template <typename T>
T Random() {
  T value{};
  if (::getrandom(&value, sizeof(value), 0) != sizeof(value)) std::abort();
  return value;
}

// The members are in the order of their making: each uses those above it.
class ComposedDaemon final : public Daemon {
 public:
  ComposedDaemon(const Config& config, Clock& clock, Logger& logger,
                 std::unique_ptr<KernelDirectory> directory)
      : config_(config),
        clock_(clock),
        logger_(logger),
        started_at_(clock.Now()),
        directory_(std::move(directory)),
        slabs_(NewCodeSlabs(
            {.slab_size_bytes = config.slab_size_bytes,
             .total_size_bytes_max = config.code_memory_bytes_max})),
        executor_starter_(NewExecutorStarter(config.executor_path)),
        cache_(NewCodeCache(*slabs_, *directory_, config.directory_entries_max,
                            [this](uint32_t slab) { Retire(slab); })),
        images_(NewCountingImageStore(
            NewVerifyingImageStore(
                NewMemoryImageStore(config.stored_image_bytes_max)),
            image_counts_)),
        gate_(NewCompilerGate(config.queued_compiles_max)),
        shelf_(NewKernelShelf(*cache_, *images_, config.image_size_bytes_max)),
        ledger_(NewCrashLedger({.crashes_max = config.crashes_max,
                                .refusal = config.crash_refusal},
                               clock)),
        flights_(NewSingleFlight()),
        disk_(OpenKernelDisk(config, directory_->incarnation(), clock, logger)),
        diagnostics_(NewDiagnostics(config, clock, logger)),
        sources_(NewSourceStore(config.stored_source_bytes_max)),
        starter_(NewZygoteStarter(config.worker_path)) {}

  ~ComposedDaemon() override {
    // Calls end before what they use; the pool ends what they wait for.
    diagnostics_->StopMetrics();
    diagnostics_->events().Close();
    if (kernels_ != nullptr) kernels_->Drain();  // Else it did not start.
    if (launcher_ != nullptr) launcher_->Stop();
    disk_->Stop();
    pool_.reset();
    rpc_.reset();
    // Its thread uses most of what was made after it.
    launcher_.reset();
    attach_.reset();
  }

  absl::Status Start(UniqueFd rpc, UniqueFd attach) {
    QUERN_ASSIGN_OR_RETURN(attach_, StartAttach(std::move(attach)));
    QUERN_ASSIGN_OR_RETURN(pool_, StartPool());
    dispatcher_ = NewDispatcher(
        NewAdmissionQueue({.queued_max = config_.queued_compiles_max,
                           .queued_per_session_max =
                               config_.queued_compiles_per_session_max}),
        *pool_, config_.compile_children_max, clock_);
    kernels_ = NewKernelService({.gate = *gate_,
                                 .shelf = *shelf_,
                                 .ledger = *ledger_,
                                 .flights = *flights_,
                                 .archive = disk_->archive(),
                                 .dispatcher = *dispatcher_,
                                 .sources = *sources_,
                                 .observer = diagnostics_->observer(),
                                 .clock = clock_});
    launcher_ =
        NewInlineLauncher({}, [this] { return attach_->Connect(); }, clock_);
    QUERN_RETURN_IF_ERROR(
        diagnostics_->StartMetrics([this] { return Stats(); }));
    return StartRpc(std::move(rpc));
  }

  void Drain(absl::Duration timeout) override {
    const absl::Time begin = clock_.Now();
    kernels_->Drain();
    launcher_->Drain();
    diagnostics_->events().Close();
    rpc_->Drain(timeout);
    const absl::Duration rest = timeout - (clock_.Now() - begin);
    disk_->Drain(std::max(rest, kLeastFlush));
  }

  uint64_t activity() override {
    return rpc_->call_count() + attach_->session_count();
  }

  bool attached() override { return attach_->session_count() != 0; }

  bool Responds() override {
    // Each is asked, also when another does not answer.
    const bool attach = attach_->Responds();
    const bool pool = pool_->Responds();
    const bool rpc = rpc_->Responds();
    return attach && pool && rpc;
  }

  std::string Summary() override { return StatsSummary(Stats()); }

 private:
  void TellExecutorEnd(uint32_t state) {
    diagnostics_->events().Publish(
        {.kind = EventKind::kExecutorDied,
         .cause = std::string(ExecutorEndName(state))});
  }

  v1::GetStatsResponse Stats() {
    return DaemonStats({.kernels = *kernels_,
                        .cache = *cache_,
                        .pool = *pool_,
                        .gate = *gate_,
                        .sessions = *attach_,
                        .disk = *disk_,
                        .sources = *sources_,
                        .diagnostics = *diagnostics_,
                        .launcher = *launcher_,
                        .incarnation = directory_->incarnation(),
                        .uptime = clock_.Now() - started_at_});
  }

  absl::StatusOr<std::unique_ptr<AttachServer>> StartAttach(UniqueFd listener) {
    AttachServerOptions options;
    options.access = config_.access;
    options.sessions_max = config_.sessions_max;
    return StartAttachServer(
        options,
        {.directory = *directory_,
         .clock = clock_,
         .logger = logger_,
         .make_token = Random<SessionToken>,
         .served = {
             .slabs = *slabs_,
             .find_kernel =
                 [this](const KernelKey& key) { return cache_->Find(key); },
             .starter = *executor_starter_,
             .setup = SetupOfExecutors(),
             .clock = clock_,
             .limits = LimitsOfServed(),
             .counters = served_counters_,
             .on_executor_end =
                 [this](uint32_t state) { TellExecutorEnd(state); }}},
        std::move(listener));
  }

  ServedLimits LimitsOfServed() const {
    ServedLimits limits;
    limits.rings_max = config_.rings_per_session_max;
    limits.ring_slots_max = config_.ring_slots_max;
    limits.buffers_max = config_.buffers_per_session_max;
    limits.buffers_size_bytes_max = config_.buffer_bytes_per_session_max;
    limits.kernels_max = config_.served_kernels_per_session_max;
    limits.launch_timeout = config_.launch_timeout;
    return limits;
  }

  // An executor may map all that its session may have, and any slab.
  ExecutorSetup SetupOfExecutors() const {
    ExecutorSetup setup;
    setup.memory_bytes_max =
        config_.executor_memory_bytes_max + config_.code_memory_bytes_max +
        config_.buffer_bytes_per_session_max +
        config_.rings_per_session_max * RingSizeBytes(config_.ring_slots_max);
    setup.thread_count = config_.executor_threads;
    setup.rings_max = config_.rings_per_session_max;
    setup.sandbox_required = config_.executor_sandbox_required ? 1 : 0;
    setup.cpus = PreferredCpus(ReadCpuCapacities(kCpuFolder));
    return setup;
  }

  absl::StatusOr<std::unique_ptr<CompilerPool>> StartPool() {
    WorkerPoolOptions options;
    options.setup = {.memory_bytes_max = config_.compile_memory_bytes_max,
                     .cpu_time_max = config_.compile_timeout,
                     .sandbox_required = config_.sandbox_required,
                     .nesting_max = config_.nesting_max};
    options.children_max = config_.compile_children_max;
    options.compile_timeout = config_.compile_timeout;
    options.crashes_per_zygote_max = config_.crashes_per_zygote_max;
    options.result_size_bytes_max = config_.message_size_bytes_max;
    WorkerPoolEvents events{
        .on_ready = [this](const auto& identity) { return Admit(identity); },
        .on_unavailable =
            [this](const absl::Status& reason) {
              gate_->Fail(reason);
              health_.SetCompiler(false);
            },
        .on_death =
            [this](std::string_view cause) {
              diagnostics_->events().Publish(
                  {.kind = EventKind::kChildDied, .cause = std::string(cause)});
            },
        .on_zygote_restart =
            [this] {
              diagnostics_->events().Publish(
                  {.kind = EventKind::kZygoteRestarted});
            }};
    return StartWorkerPool(options, std::move(events), *starter_, clock_,
                           logger_);
  }

  // Takes the compiler that the first zygote has. A later zygote must have the
  // same: clients have formed keys with it.
  absl::Status Admit(const CompilerIdentity& identity) {
    if (!identity_) {
      QUERN_RETURN_IF_ERROR(
          directory_->SetCompiler(identity.build_id, identity.host));
      identity_ = identity;
    } else if (identity_->build_id != identity.build_id ||
               identity_->host != identity.host) {
      return absl::UnavailableError(
          "the installed compiler has changed; restart the daemon");
    }
    gate_->Open(identity);
    health_.SetCompiler(true);
    return absl::OkStatus();
  }

  void Retire(uint32_t slab) {
    attach_->NotifyRetired(slab);
    diagnostics_->events().Publish(
        {.kind = EventKind::kSlabRetired, .slab = slab});
  }

  absl::Status StartRpc(UniqueFd listener) {
    const uint64_t incarnation = directory_->incarnation();
    peers_ = std::make_unique<Peers>(
        *attach_, clock_, kConnectionsPerSession * config_.sessions_max);
    kernel_rpc_ = NewKernelServiceRpc(
        *kernels_, *peers_,
        {.source_size_bytes_max = config_.source_size_bytes_max,
         .arguments_max = config_.arguments_max},
        incarnation);
    launch_rpc_ = NewLaunchServiceRpc(*kernels_, *launcher_, *peers_,
                                      config_.inline_launch_bytes_max);
    admin_rpc_ = NewAdminServiceRpc(
        *kernels_, *cache_, *peers_, [this] { return Stats(); },
        diagnostics_->events(), incarnation);
    RpcServerOptions options;
    options.access = config_.access;
    options.message_size_bytes_max = config_.message_size_bytes_max;
    QUERN_ASSIGN_OR_RETURN(
        rpc_, StartRpcServer(options,
                             {.services = {kernel_rpc_.get(), launch_rpc_.get(),
                                           admin_rpc_.get()},
                              .peers = *peers_,
                              .health = health_,
                              .logger = logger_},
                             std::move(listener)));
    return absl::OkStatus();
  }

  const Config config_;
  Clock& clock_;
  Logger& logger_;
  const absl::Time started_at_;
  ImageStoreCounts image_counts_;
  Health health_;
  const std::unique_ptr<KernelDirectory> directory_;
  const std::unique_ptr<CodeSlabs> slabs_;
  ServedCounters served_counters_;
  const std::unique_ptr<ExecutorStarter> executor_starter_;
  std::unique_ptr<AttachServer> attach_;
  const std::unique_ptr<CodeCache> cache_;
  const std::unique_ptr<ImageStore> images_;
  const std::unique_ptr<CompilerGate> gate_;
  const std::unique_ptr<KernelShelf> shelf_;
  const std::unique_ptr<CrashLedger> ledger_;
  const std::unique_ptr<SingleFlight> flights_;
  const std::unique_ptr<KernelDisk> disk_;
  const std::unique_ptr<Diagnostics> diagnostics_;
  const std::unique_ptr<SourceStore> sources_;
  const std::unique_ptr<ZygoteStarter> starter_;
  std::optional<CompilerIdentity> identity_;  // Of the pool's thread.
  std::unique_ptr<Dispatcher> dispatcher_;
  std::unique_ptr<CompilerPool> pool_;
  std::unique_ptr<KernelService> kernels_;
  std::unique_ptr<Peers> peers_;
  std::unique_ptr<grpc::Service> kernel_rpc_;
  std::unique_ptr<InlineLauncher> launcher_;
  std::unique_ptr<grpc::Service> launch_rpc_;
  std::unique_ptr<grpc::Service> admin_rpc_;
  std::unique_ptr<RpcServer> rpc_;
};

}  // namespace

absl::StatusOr<std::unique_ptr<Daemon>> StartDaemon(const Config& config,
                                                    UniqueFd rpc,
                                                    UniqueFd attach,
                                                    Clock& clock,
                                                    Logger& logger) {
  QUERN_ASSIGN_OR_RETURN(
      std::unique_ptr<KernelDirectory> directory,
      CreateKernelDirectory(config.directory_entries_max, Random<uint64_t>()));
  auto daemon = std::make_unique<ComposedDaemon>(config, clock, logger,
                                                 std::move(directory));
  QUERN_RETURN_IF_ERROR(daemon->Start(std::move(rpc), std::move(attach)));
  return daemon;
}

}  // namespace quern
