// SPDX-License-Identifier: Apache-2.0
// Does the time of the kernel `ifma` depend on secrets? Each operation runs many times on one fixed secret
// and on fresh random ones, in random order; the two distributions must not differ (docs/ct.md, "Timing").
// What differs between the classes is drawn, and copied to the same place, before the clock starts.
//   timing_ifma [--runs N] [--seed N] [--leak] [OPERATION...]
// 0: |t| stays below 4.5 everywhere; 1: it does not; 2: misuse; 77: this processor cannot run the kernel.
#include <x86intrin.h>

#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <ctime>
#include <memory>
#include <random>
#include <string_view>

#include "crypto/eccsi/batch.hpp"
#include "crypto/ifma/fan_out.hpp"
#include "ct/secret.hpp"
#include "ct/welch.hpp"

namespace {

using namespace regroup;
using namespace regroup::crypto;
using ct::require;

constexpr std::size_t kBatch = ifma::kLanes;

class Seeded final : public Random {
 public:
  explicit Seeded(std::uint64_t seed) : source_(seed) {}
  void fill(std::span<std::uint8_t> out) override {
    for (std::uint8_t& octet : out) octet = static_cast<std::uint8_t>(source_());
  }

 private:
  std::mt19937_64 source_;
};

class Operation {
 public:
  virtual ~Operation() = default;
  virtual void prepare(bool fixed) = 0;
  virtual void run() = 0;
};

// Octets of a secret: always drawn, then replaced by the fixed ones under a mask.
class Draw {
 public:
  explicit Draw(Random& random) : random_(random) {}
  template <std::size_t N>
  [[nodiscard]] Fixed<N> octets(bool fixed) {
    const auto mask = static_cast<std::uint8_t>(-static_cast<int>(fixed));
    Fixed<N> out = random_.octets<N>();
    for (std::size_t i = 0; i < N; ++i)
      out[i] = static_cast<std::uint8_t>((out[i] & ~mask) | (static_cast<std::uint8_t>(0x52 + 7 * i) & mask));
    last_ = out[0];
    return out;
  }
  [[nodiscard]] std::uint8_t last() const { return last_; }
  [[nodiscard]] Random& random() { return random_; }

 private:
  Random& random_;
  std::uint8_t last_ = 0;
};

std::vector<Octets> make_identifiers(Draw& draw) {
  std::vector<Octets> out;
  for (std::size_t i = 0; i < kBatch; ++i) out.push_back(to_octets(draw.random().octets<32>()));
  return out;
}
ifma::PointTable8 table_of(const ScalarOf<ifma::Set>& z) {
  return ifma::point_table(scheme::multiple_of_p<ifma::Set>(z).value());
}
std::vector<OctetsView> views(const std::vector<Octets>& all) { return {all.begin(), all.end()}; }

// A chain of products: the smallest thing that could leak.
class Product final : public Operation {
 public:
  explicit Product(Draw& draw) : draw_(draw) {}
  void prepare(bool fixed) override {
    for (ifma::Residue8* const operand : {&a_, &b_})
      for (std::size_t lane = 0; lane < ifma::kLanes; ++lane) {
        const Fixed<8 * ifma::kLimbs> octets = draw_.octets<8 * ifma::kLimbs>(fixed);
        for (std::size_t j = 0; j < ifma::kLimbs; ++j) {
          std::uint64_t limb = 0;
          std::memcpy(&limb, octets.data() + 8 * j, 8);
          operand->limb[j].lane[lane] = limb >> (j + 1 < ifma::kLimbs ? 12 : 28);  // below 2^1024
        }
      }
  }
  void run() override {
    for (int i = 0; i < 16; ++i) ifma::product(a_, a_, b_, ifma::field());
  }

 private:
  Draw& draw_;
  ifma::Residue8 a_{}, b_{};
};

// SSV, and with it r and w, of an encapsulation to eight.
class Encapsulate final : public Operation {
 public:
  explicit Encapsulate(Draw& draw)
      : draw_(draw),
        identifiers_(make_identifiers(draw)),
        z_(table_of(ScalarOf<ifma::Set>::of_octets(draw.octets<127>(false)))) {}
  void prepare(bool fixed) override { ssv_ = draw_.octets<16>(fixed); }
  void run() override { require(ifma::encapsulate(ssv_, views(identifiers_), z_, out_), "encapsulation"); }

 private:
  Draw& draw_;
  std::vector<Octets> identifiers_, out_ = std::vector<Octets>(kBatch);
  ifma::PointTable8 z_;
  Fixed<16> ssv_{};
};

// z of an extraction for eight.
class Extract final : public Operation {
 public:
  explicit Extract(Draw& draw) : draw_(draw), identifiers_(make_identifiers(draw)) {}
  void prepare(bool fixed) override { z_ = ScalarOf<ifma::Set>::of_octets(draw_.octets<128>(fixed)); }
  void run() override { require(ifma::extract(z_, views(identifiers_), out_), "extraction"); }

 private:
  Draw& draw_;
  std::vector<Octets> identifiers_;
  std::vector<Affine<ifma::Set>> out_ = std::vector<Affine<ifma::Set>>(kBatch);
  ScalarOf<ifma::Set> z_;
};

// RSK and SSV of eight messages that are opened. A key's lines are large: both classes have as many of them
// in store, and those of the run are copied to one place.
class Open final : public Operation {
 public:
  explicit Open(Draw& draw)
      : draw_(draw), z_(ScalarOf<ifma::Set>::of_octets(draw.octets<127>(false))), table_(table_of(z_)) {
    const Fixed<32> identifier = draw.octets<32>(true);
    const Fixed<16> ssv = draw.octets<16>(true);
    for (std::size_t i = 0; i < kStored; ++i) {
      store_[1].push_back(stored(identifier, ssv));
      store_[0].push_back(stored(draw.octets<32>(false), draw.octets<16>(false)));
    }
    for (std::size_t i = 0; i < kBatch; ++i) slots_.push_back(stored(identifier, ssv));
  }
  void prepare(bool fixed) override {
    const Fixed<kBatch> places = draw_.octets<kBatch>(false);
    (void)draw_.octets<1>(fixed);  // for the planted leak
    closed_.clear();
    for (std::size_t i = 0; i < kBatch; ++i) {
      const Stored& from = *store_[fixed ? 1 : 0][places[i] % kStored];
      Stored& to = *slots_[i];
      to.identifier = from.identifier;
      to.message = from.message;
      std::memcpy(const_cast<ifma::Line*>(to.lines.data()), from.lines.data(), kLineOctets);
      Affine<ifma::Set> r;
      require(parse_on_curve<ifma::Set>(view_of(to).first<kPoint>(), r) == PointFlaw::none, "R");
      closed_.push_back({r, view_of(to).subspan(kPoint), to.identifier, &to.lines});
    }
  }
  void run() override {
    require(ifma::open(closed_, table_, ssvs_, good_), "opening");
    for (const Mask one : good_) require(one != 0, "a message opens");
  }

 private:
  static constexpr std::size_t kStored = 16, kPoint = Affine<ifma::Set>::kOctets;
  static constexpr std::size_t kLineOctets = FixedLines<ifma::Set>::count() * sizeof(ifma::Line);
  struct Stored {
    Fixed<32> identifier;
    Octets message;
    ifma::KeyLines lines;
  };
  [[nodiscard]] static std::span<const std::uint8_t> view_of(const Stored& one) { return one.message; }
  [[nodiscard]] std::unique_ptr<Stored> stored(const Fixed<32>& identifier, const Fixed<16>& ssv) const {
    const OctetsView to(identifier);
    Octets message;
    require(ifma::encapsulate(ssv, {&to, 1}, table_, {&message, 1}), "encapsulation");
    const FixedLines<ifma::Set> lines(scheme::extract<ifma::Set>(z_, identifier).value());
    return std::unique_ptr<Stored>(new Stored{identifier, message, ifma::KeyLines(lines)});
  }

  Draw& draw_;
  ScalarOf<ifma::Set> z_;
  ifma::PointTable8 table_;
  std::array<std::vector<std::unique_ptr<Stored>>, 2> store_;
  std::vector<std::unique_ptr<Stored>> slots_;
  std::vector<ifma::Closed> closed_;
  std::vector<Secret<16>> ssvs_ = std::vector<Secret<16>>(kBatch);
  std::vector<Mask> good_ = std::vector<Mask>(kBatch);
};

// j of eight signatures.
class Sign final : public Operation {
 public:
  explicit Sign(Draw& draw) : draw_(draw) {}
  void prepare(bool fixed) override {
    for (eccsi::Scalar& one : j_) one = eccsi::Scalar::reduce(draw_.octets<32>(fixed));
  }
  void run() override { require(eccsi::x_of_multiples(j_).has_value(), "r"); }

 private:
  Draw& draw_;
  std::array<eccsi::Scalar, kBatch> j_;
};

struct Named {
  const char* name;
  const char* what;
  std::unique_ptr<Operation> (*make)(Draw&);
};
template <class Kind>
std::unique_ptr<Operation> make(Draw& draw) {
  return std::make_unique<Kind>(draw);
}
constexpr std::array<Named, 5> kOperations{{
    {"product", "16 products modulo p; both operands", make<Product>},
    {"encapsulate", "encapsulation to 8; SSV", make<Encapsulate>},
    {"extract", "receiver keys for 8; z", make<Extract>},
    {"open", "8 messages opened; RSK and SSV", make<Open>},
    {"sign", "r of 8 signatures; j", make<Sign>},
}};

// All that came before is done, and nothing that follows has begun.
std::uint64_t clock_now() {
  _mm_mfence();
  _mm_lfence();
  const std::uint64_t now = __rdtsc();
  _mm_lfence();
  return now;
}

struct Options {
  std::size_t runs = 100000;
  std::uint64_t seed = static_cast<std::uint64_t>(std::time(nullptr));
  bool leak = false;
  std::vector<std::string_view> names;
};

std::vector<ct::Sample> measure(Operation& operation, Draw& draw, const Options& options) {
  constexpr std::size_t kWarmUp = 100;
  Product more(draw);  // the planted leak: work that one bit of the secret asks for
  more.prepare(true);
  std::vector<ct::Sample> samples;
  samples.reserve(options.runs);
  for (std::size_t i = 0; i < options.runs + kWarmUp; ++i) {
    const bool fixed = (draw.random().octets<1>()[0] & 1) != 0;
    operation.prepare(fixed);
    const bool asks = options.leak && (draw.last() & 1) != 0;
    const std::uint64_t from = clock_now();
    operation.run();
    if (asks) more.run();
    const std::uint64_t cycles = clock_now() - from;
    if (i >= kWarmUp) samples.push_back({fixed, cycles});
  }
  return samples;
}

// Prints one line for each crop; whether all of them are below the limit.
bool report(const Named& named, const std::vector<ct::Sample>& samples) {
  std::printf("%s: %s\n  %6s %10s %8s %8s %14s %14s %8s\n", named.name, named.what, "part",
              "cycles <=", "n fixed", "n random", "mean fixed", "mean random", "t");
  bool good = true;
  for (const double crop : ct::kCrops) {
    const std::uint64_t most = ct::percentile(samples, crop);
    const ct::Comparison both = ct::compare(samples, most);
    const bool below = std::fabs(both.t()) < ct::kLargestT;
    std::printf("  %5.0f%% %10llu %8zu %8zu %14.1f %14.1f %8.2f%s\n", 100 * crop,
                static_cast<unsigned long long>(most), both.fixed.count(), both.random.count(),
                both.fixed.mean(), both.random.mean(), both.t(), below ? "" : "  LEAKS");
    good &= below;
  }
  std::fflush(stdout);
  return good;
}

[[noreturn]] void usage() {
  std::fprintf(stderr, "usage: timing_ifma [--runs N] [--seed N] [--leak] [OPERATION...]\noperations:\n");
  for (const Named& one : kOperations) std::fprintf(stderr, "  %-12s %s\n", one.name, one.what);
  std::exit(2);
}

Options read(int argc, char** argv) {
  Options out;
  for (int i = 1; i < argc; ++i) {
    const std::string_view word(argv[i]);
    char* end = nullptr;
    if (word == "--leak") {
      out.leak = true;
    } else if ((word == "--runs" || word == "--seed") && i + 1 < argc) {
      const std::uint64_t number = std::strtoull(argv[++i], &end, 10);
      if (*end != '\0' || (word == "--runs" && number < 100)) usage();
      (word == "--runs" ? out.runs : out.seed) = number;
    } else if (std::none_of(kOperations.begin(), kOperations.end(),
                            [&](const Named& one) { return word == one.name; })) {
      usage();
    } else {
      out.names.push_back(word);
    }
  }
  return out;
}

}  // namespace

int main(int argc, char** argv) {
  const Options options = read(argc, argv);
  if (!ifma::supported()) {
    std::printf("this processor has no AVX-512 IFMA: nothing to measure\n");
    return 77;
  }
  std::printf("%zu runs each, seed %llu, t of Welch fixed against random, limit %.1f%s\n", options.runs,
              static_cast<unsigned long long>(options.seed), ct::kLargestT,
              options.leak ? ", with a PLANTED LEAK" : "");
  bool good = true;
  for (const Named& one : kOperations) {
    if (!options.names.empty() &&
        std::find(options.names.begin(), options.names.end(), one.name) == options.names.end())
      continue;
    Seeded random(options.seed);
    Draw draw(random);
    const std::unique_ptr<Operation> operation = one.make(draw);
    good &= report(one, measure(*operation, draw, options));
  }
  std::printf("%s\n", good ? "no difference found" : "the classes differ: something depends on a secret");
  return good ? 0 : 1;
}
