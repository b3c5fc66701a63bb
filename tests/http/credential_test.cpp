// SPDX-License-Identifier: Apache-2.0
// No memory that is given back holds a credential: every block that goes through operator delete in this
// program can be looked at first. OpenSSL has an allocator of its own and is not seen.
#include <malloc.h>
#include <string.h>

#include <atomic>
#include <new>

#include "http/bearer.hpp"
#include "http/jwt.hpp"
#include "http/lab.hpp"
#include "http/oauth.hpp"

namespace {

constexpr std::size_t kMark = 24;  // octets that tell the credential
std::atomic<bool> looking = false;
std::atomic<int> found = 0;
char mark[kMark];

void look_at(void* block) {
  if (!block || !looking) return;
  if (::memmem(block, ::malloc_usable_size(block), mark, kMark)) ++found;
}

}  // namespace

void* operator new(std::size_t size) {
  if (void* block = std::malloc(size ? size : 1)) return block;
  throw std::bad_alloc();
}
void operator delete(void* block) noexcept {
  look_at(block);
  std::free(block);
}
void operator delete(void* block, std::size_t) noexcept {
  look_at(block);
  std::free(block);
}

namespace regroup::http {
namespace {

// Blocks given back with the credential in them while `act` runs.
template <class Act>
int left_behind(std::string_view credential, Act act) {
  std::memcpy(mark, credential.data() + credential.size() - kMark, kMark);
  found = 0;
  looking = true;
  act();
  looking = false;
  return found;
}

const std::string kToken = "0123456789.abcdefghijklmnopqrstuvwxyz.ABCDEFGHIJKLMNOPQRSTUVWXYZ";

TEST(Credential, TheWatchSeesWhatIsLeftBehind) {
  EXPECT_GT(left_behind(kToken, [] { std::string copy(kToken + "!"); }), 0);
}

TEST(Credential, OfHeadersIsWiped) {
  const auto act = [] {
    Headers headers;
    add_bearer(headers, view(kToken));
    for (int i = 0; i < 20; ++i) headers.add("X", std::string(40, 'x'));  // they move
    Headers copy = headers;
    Headers other;
    add_bearer(other, view(kToken));
    other = copy;
    other = std::move(headers);
    copy.set("authorization", "Bearer another");
    other.remove("Authorization");
  };
  EXPECT_EQ(left_behind(kToken, act), 0);
}

TEST(Credential, OnItsWayFromClientToServerIsWipedByBoth) {
  std::atomic<int> seen = 0;
  auto server = serve([&](Request request, Responder respond) {
    const auto token = bearer_token(request.headers);
    if (token.ok() && token.value() && **token == kToken) ++seen;
    respond(make_response(204));
  });
  auto client = must(Client::make(trusting()));
  const auto act = [&] {
    for (int i = 0; i < 3; ++i) {
      ClientRequest request = get(*server, "/");
      add_bearer(request.headers, view(kToken));
      EXPECT_TRUE(client->call(std::move(request), std::chrono::seconds(60)).ok());
    }
    client.reset();
    server.reset();
  };
  EXPECT_EQ(left_behind(kToken, act), 0);
  EXPECT_EQ(seen, 3);
}

TEST(Credential, OfATokenAnswerIsWiped) {
  Body body("{\"x\":[1],\"access_token\":\"" + kToken + "\",\"token_type\":\"Bearer\",\"expires_in\":9}");
  EXPECT_EQ(left_behind(kToken,
                        [&] {
                          EXPECT_TRUE(parse_token_answer(body.view()).ok());
                          body = Body();
                        }),
            0);
}

TEST(Credential, OfTheClientIsWiped) {
  const std::string secret = "the-secret-of-a-client-which-is-long";
  EXPECT_EQ(left_behind(secret,
                        [&] {
                          Headers headers;
                          add_basic(headers, "client", view(secret));
                        }),
            0);
}

}  // namespace
}  // namespace regroup::http
