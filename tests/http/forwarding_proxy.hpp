// SPDX-License-Identifier: Apache-2.0
// A reverse proxy that ends the TLS of its clients as "localhost" and forwards each request, target and Host
// as they came, to the server on a port of the loopback, which it takes for gms.alpha.example.
#pragma once

#include <atomic>

#include "http/lab.hpp"

namespace regroup::http {

class ForwardingProxy {
 public:
  explicit ForwardingProxy(std::uint16_t port) : ForwardingProxy(port, own_certificate()) {}
  ForwardingProxy(std::uint16_t port, const app::LabFiles& files)
      : onward_(must(Client::make(trusting()))), port_(port) {
    ListenerOptions listening = listener("proxy");
    listening.certificate_file = files.certificate;
    listening.key_file = files.key;
    ServerOptions options;
    options.listeners = {listening};
    server_ = serve(std::move(options), [this](Request request, Responder respond) {
      forward(std::move(request), std::make_shared<Responder>(std::move(respond)));
    });
  }
  [[nodiscard]] std::string address() const { return "localhost:" + std::to_string(server_->port("proxy")); }
  [[nodiscard]] unsigned forwarded() const { return forwarded_; }

 private:
  static const app::LabFiles& own_certificate() {
    static const app::LabFiles files = must(lab().ca.issue({"proxy", {"localhost"}}));
    return files;
  }
  void forward(Request request, std::shared_ptr<Responder> respond) {
    ++forwarded_;
    ClientRequest onward;
    onward.method = request.method;
    onward.url = "https://" + std::string(request.headers.find("Host").value_or("")) + request.target;
    onward.connect_to = "127.0.0.1:" + std::to_string(port_);
    onward.body = std::move(request.body);
    onward.headers = std::move(request.headers);  // Host and its kin are left out by the client itself
    onward_->call(std::move(onward), std::chrono::seconds(60), [respond](Result<Response> answer) {
      respond->send(answer.ok() ? std::move(answer).value() : make_response(502));
    });
  }

  std::unique_ptr<Client> onward_;
  std::uint16_t port_;
  std::atomic<unsigned> forwarded_ = 0;
  std::unique_ptr<Server> server_;  // last: stops before the rest goes
};

}  // namespace regroup::http
