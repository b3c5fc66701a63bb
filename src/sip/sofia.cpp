// SPDX-License-Identifier: Apache-2.0
#include "sip/sofia_transport.hpp"

namespace regroup::sip {
namespace {

// TPTAG_TLS_VERIFY_POLICY: 1 asks the client for a certificate, 2 checks the server's chain, 4 and 8 the
// names.
constexpr unsigned kVerifyAll = 0xF;
// Sofia's default of 64 messages fails requests locally (503) while a connection opens.
constexpr unsigned kSendQueue = 65536;
// Room for the header beside the largest body (NTATAG_MAXSIZE counts both).
constexpr std::size_t kHeaderRoom = 64 * 1024;

struct Listen {
  std::string url;
  bool tls = false;
};

Result<Listen> parse_listen(std::string_view text) {
  const std::size_t colon = text.find(':');
  const std::string_view scheme = text.substr(0, colon);
  if (colon == text.npos || (scheme != "tcp" && scheme != "tls") || !is_single_line(text))
    return fail(Errc::usage, "", "sip listen address " + std::string(text),
                "write tcp:HOST:PORT or tls:HOST:PORT");
  const std::string host_port(text.substr(colon + 1));
  if (scheme == "tls") return Listen{"sips:" + host_port + ";transport=tls", true};
  return Listen{"sip:" + host_port + ";transport=tcp", false};
}

// Once per process: Sofia's globals (it ignores SIGPIPE) and its log, which would write to stderr whatever it
// likes; what matters reaches the caller as an Error.
void prepare_library() {
  static std::once_flag once;
  std::call_once(once, [] {
    su_init();
    su_log_redirect(
        nullptr, [](void*, const char*, va_list) {}, nullptr);
  });
}

}  // namespace

Error lost(std::string_view what) {
  return fail(Errc::transport, "RFC 3261 8.1.3.1", std::string(what), "check the next hop; try again later");
}

Result<void> SofiaTransport::start() {
  if (thread_.joinable()) return fail(Errc::usage, "", "the transport runs already", "stop it first");
  wakeup_fd_ = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
  if (wakeup_fd_ < 0) return fail(Errc::internal, "", "eventfd failed");
  std::promise<Result<void>> started;
  std::future<Result<void>> outcome = started.get_future();
  thread_ = std::thread([this, started = std::move(started)]() mutable { run(std::move(started)); });
  Result<void> result = outcome.get();
  if (!result) stop();
  return result;
}

void SofiaTransport::stop() {
  if (!thread_.joinable()) return;
  enqueue([this] { su_root_break(root_); });
  thread_.join();
  close(wakeup_fd_);
  wakeup_fd_ = -1;
}

bool SofiaTransport::enqueue(std::function<void()> work) {
  const std::lock_guard guard(queue_lock_);
  if (!open_) return false;
  queue_.push_back(std::move(work));
  const std::uint64_t one = 1;
  // Fails only when the counter is full, and then the thread is awake anyway.
  if (queue_.size() == 1) static_cast<void>(!write(wakeup_fd_, &one, sizeof one));
  return true;
}

void SofiaTransport::later(std::function<void()> callback) {
  if (options_.post) return options_.post(std::move(callback));
  // Queued even on the stack's thread: a callback never runs inside the caller's own call. After stop() there
  // is no thread to run on; the one that asks gets its refusal at once.
  if (!enqueue(callback)) callback();
}

void SofiaTransport::run(std::promise<Result<void>> started) {
  prepare_library();
  Result<void> opened = open_stack();
  const bool good = opened.ok();
  started.set_value(std::move(opened));
  if (good) su_root_run(root_);
  close_stack();
}

Result<void> SofiaTransport::open_stack() {
  root_ = su_root_create(this);
  if (!root_) return fail(Errc::internal, "", "no event loop");
  su_wait_t wait;
  su_wait_create(&wait, wakeup_fd_, SU_WAIT_IN);
  wait_index_ = su_root_register(root_, &wait, &on_wakeup, this, 0);
  timer_ = su_timer_create(su_root_task(root_), 0);
  // No listener yet; each one is added below, so that a failure has its address.
  const auto* no_listener = static_cast<const url_string_t*>(SIP_NONE);
  agent_ =
      nta_agent_create(root_, no_listener, nullptr, nullptr, NTATAG_UA(0), NTATAG_USE_NAPTR(0),
                       NTATAG_USE_SRV(0), NTATAG_EXTRA_100(0),
                       NTATAG_MAXSIZE(static_cast<usize_t>(options_.other_body + kHeaderRoom)), TAG_END());
  if (!agent_ || wait_index_ < 0 || !timer_) return fail(Errc::internal, "", "the SIP stack did not start");
  leg_ = nta_leg_tcreate(agent_, &on_request, this, NTATAG_NO_DIALOG(1), TAG_END());
  TRY(open_listeners());
  const std::lock_guard guard(queue_lock_);
  open_ = true;
  return {};
}

Result<void> SofiaTransport::open_listeners() {
  for (const std::string& text : options_.listen) {
    const Listen listen = TRY(parse_listen(text));
    if (listen.tls && options_.tls_directory.empty())
      return fail(Errc::usage, "", "sip listen address " + text + " without a TLS directory",
                  "name the directory of agent.pem and cafile.pem");
    const int added = nta_agent_add_tport(
        agent_, URL_STRING_MAKE(listen.url.c_str()), TPTAG_QUEUESIZE(kSendQueue), TPTAG_STUN_SERVER(0),
        TAG_IF(listen.tls, TPTAG_CERTIFICATE(options_.tls_directory.c_str())),
        TAG_IF(listen.tls, TPTAG_TLS_VERIFY_POLICY(options_.tls_verify ? kVerifyAll : 0)), TAG_END());
    if (added < 0)
      return fail(Errc::transport, "RFC 3261 18", "cannot listen on " + text,
                  "free the port or name another");
  }
  std::vector<std::string> found;
  for (const sip_via_t* via = nta_agent_via(agent_); via; via = via->v_next) {
    const bool tls = std::string_view(via->v_protocol).ends_with("TLS");
    const std::string port = via->v_port ? via->v_port : tls ? "5061" : "5060";
    found.push_back("sip:" + std::string(via->v_host) + ":" + port +
                    (tls ? ";transport=tls" : ";transport=tcp"));
  }
  if (found.empty())
    return fail(Errc::usage, "", "no sip listen address", "name one, as tcp:HOST:PORT or tls:HOST:PORT");
  const std::lock_guard guard(queue_lock_);
  addresses_ = std::move(found);
  return {};
}

void SofiaTransport::close_stack() {
  drain();
  while (!attempts_.empty()) finish(attempts_.begin()->first, lost("the transport stopped"));
  drain();  // the callbacks of the above, and what they asked for
  {
    const std::lock_guard guard(queue_lock_);
    open_ = false;
    addresses_.clear();
  }
  drain();
  while (!attempts_.empty()) finish(attempts_.begin()->first, lost("the transport stopped"));
  while (!served_.empty()) finish_served(served_.begin()->first, make_response(503));
  if (leg_) nta_leg_destroy(leg_);
  if (agent_) nta_agent_destroy(agent_);
  if (timer_) su_timer_destroy(timer_);
  if (wait_index_ >= 0) su_root_deregister(root_, wait_index_);
  if (root_) su_root_destroy(root_);
  leg_ = nullptr;
  agent_ = nullptr;
  timer_ = nullptr;
  wait_index_ = -1;
  root_ = nullptr;
  lanes_.clear();
  deadlines_.clear();
}

int SofiaTransport::on_wakeup(SofiaTransport*, su_wait_t*, SofiaTransport* self) {
  std::uint64_t count = 0;
  static_cast<void>(!read(self->wakeup_fd_, &count, sizeof count));
  self->drain();
  return 0;
}

void SofiaTransport::drain() {
  for (;;) {
    std::deque<std::function<void()>> batch;
    {
      const std::lock_guard guard(queue_lock_);
      batch.swap(queue_);
    }
    if (batch.empty()) return;
    for (const std::function<void()>& work : batch) work();
  }
}

void SofiaTransport::arm() {
  if (deadlines_.empty()) {
    su_timer_reset(timer_);
    return;
  }
  const auto left =
      std::chrono::ceil<std::chrono::milliseconds>(deadlines_.begin()->first - SteadyClock::now());
  su_timer_set_interval(timer_, &on_timer, this, std::max<su_duration_t>(left.count(), 0));
}

void SofiaTransport::expire() {
  while (!deadlines_.empty() && deadlines_.begin()->first <= SteadyClock::now()) {
    const std::uint64_t id = deadlines_.begin()->second;
    deadlines_.erase(deadlines_.begin());
    if (served_.contains(id))
      finish_served(id, make_response(500));
    else
      finish(id, lost("no answer before the deadline"));
  }
  arm();
}

std::unique_ptr<Transport> make_sofia(SofiaOptions options, Random& random) {
  return std::make_unique<SofiaTransport>(std::move(options), random);
}

}  // namespace regroup::sip
