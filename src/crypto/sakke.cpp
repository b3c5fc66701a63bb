// SPDX-License-Identifier: Apache-2.0
#include "crypto/sakke.hpp"

#include <algorithm>
#include <atomic>
#include <list>
#include <map>
#include <mutex>
#include <numeric>

#include "base/workers.hpp"
#include "crypto/curve/scheme.hpp"
#include "crypto/ifma/fan_out.hpp"
#include "crypto/kernel.hpp"

namespace regroup::crypto::sakke {
namespace {

using Set = ParameterSet1;
using Point1 = Affine<Set>;
using Scalar = ScalarOf<Set>;
static_assert(Point1::kOctets == kPoint);

constexpr std::string_view kZ = "Z (the KMS public key, PubEncKey)";
constexpr std::string_view kRsk = "RSK (the receiver secret key, UserDecryptKey)";

Fixed<kPoint> octets_of(const Point1& point) {
  Fixed<kPoint> out;
  point.write(out);
  return out;
}

}  // namespace

// ---- KMS keys

MasterSecret make_master_secret(Random& random) {
  for (;;) {
    auto candidate = random.secret<MasterSecret>();
    candidate.expose_mutable()[0] &= 0x3f;  // q has 1022 bits
    if (auto z = parse_master_secret(candidate.expose()); z.ok()) return std::move(z).value();
  }
}

Result<MasterSecret> parse_master_secret(OctetsView octets) {
  constexpr std::string_view kClause = "RFC 6508 2.2";
  if (octets.empty() || octets.size() > MasterSecret::size)
    return fail(Errc::malformed, kClause, "the SAKKE master secret z is not of 1 to 128 octets",
                "restore the KMS secrets from a backup, or make new ones");
  MasterSecret z;
  std::copy(octets.begin(), octets.end(), z.expose_mutable().last(octets.size()).begin());
  const ct::Wiped<Limbs<16>> value(limbs_from_octets<16>(z.expose()));
  Limbs<16> two{};
  two[0] = 2;
  if (!ct::declassify(mask_if_less(*value, Set::q.m) & ~mask_if_less(*value, two)))
    return fail(Errc::malformed, kClause, "the SAKKE master secret z is not in 2 .. q - 1",
                "restore the KMS secrets from a backup, or make new ones");
  return z;
}

struct KmsPublicKey::Tables {
  Tables(const Fixed<kPoint>& o, const Point1& z) : octets(o), point(z) {}

  Fixed<kPoint> octets;
  Point1 point;

  // Made on first use (about 20 ms, 1.2 MB): who only parses certificates does not pay for it.
  [[nodiscard]] const PointTable<Set>& table() const {
    std::call_once(made_, [this] { table_ = std::make_unique<PointTable<Set>>(point); });
    return *table_;
  }
  // The same for the kernel `ifma` (about 55 ms, 4.5 MB).
  [[nodiscard]] const ifma::PointTable8& table8() const {
    std::call_once(made8_, [this] { table8_ = ifma::point_table(point); });
    return table8_;
  }

 private:
  mutable std::once_flag made_, made8_;
  mutable std::unique_ptr<const PointTable<Set>> table_;
  mutable ifma::PointTable8 table8_;
};

namespace {

// The public keys used last, by all their octets, so that a certificate parsed twice has its tables made
// once.
class RecentKeys {
 public:
  using Entry = std::shared_ptr<const KmsPublicKey::Tables>;

  [[nodiscard]] Entry find(OctetsView octets) {
    const std::lock_guard lock(mutex_);
    for (auto it = entries_.begin(); it != entries_.end(); ++it) {
      if (!std::equal(octets.begin(), octets.end(), (*it)->octets.begin(), (*it)->octets.end())) continue;
      entries_.splice(entries_.begin(), entries_, it);
      return entries_.front();
    }
    return nullptr;
  }
  // The entry that stays: the one of another thread if that was quicker.
  [[nodiscard]] Entry keep(Entry entry) {
    if (Entry other = find(entry->octets)) return other;
    const std::lock_guard lock(mutex_);
    entries_.push_front(entry);
    if (entries_.size() > kMost) entries_.pop_back();
    return entry;
  }

 private:
  static constexpr std::size_t kMost = 16;
  std::mutex mutex_;
  std::list<Entry> entries_;
};

RecentKeys& recent_keys() {
  static RecentKeys keys;
  return keys;
}

}  // namespace

Result<KmsPublicKey> KmsPublicKey::parse(OctetsView octets) {
  if (auto known = recent_keys().find(octets)) return KmsPublicKey(std::move(known));
  Point1 point;
  if (const PointFlaw flaw = parse_point<Set>(octets, point); flaw != PointFlaw::none)
    return point_error(flaw, kZ);
  return KmsPublicKey(recent_keys().keep(std::make_shared<const Tables>(octets_of(point), point)));
}

KmsPublicKey KmsPublicKey::derive(const MasterSecret& z) {
  const ct::StackWiper stack;
  const ct::Wiped<Scalar> scalar(Scalar::of_octets(z.expose()));
  Point1 point = scheme::multiple_of_p<Set>(*scalar).value();  // 2 <= z <= q - 1: never neutral
  point = ct::declassify(point);
  return KmsPublicKey(recent_keys().keep(std::make_shared<const Tables>(octets_of(point), point)));
}

std::size_t table_octets() noexcept {
  if (active_kernel() == Kernel::ifma)
    return ifma::kDigits * (2 * sizeof(ifma::PointWindow) + sizeof(ifma::PowerWindow));
  return 2 * PointTable<Set>::octets() + PowerTable<Set>::octets();
}

const Fixed<kPoint>& KmsPublicKey::octets() const { return tables_->octets; }

// ---- receiver secret keys

namespace {
std::atomic<int> live_lines{0};
std::atomic<int> most_lines{64};
}  // namespace

void set_line_budget(int keys) noexcept { most_lines.store(keys, std::memory_order_relaxed); }

struct Rsk::Point {
  explicit Point(const Point1& point) : affine(point) {}
  Point(const Point&) = delete;
  Point& operator=(const Point&) = delete;
  ~Point() {
    wipe(&affine, sizeof affine);
    if (lines_) live_lines.fetch_sub(1, std::memory_order_relaxed);
  }

  Point1 affine;

  // <R, RSK>. The first keys that open a message keep their lines, while the budget lasts.
  [[nodiscard]] Fp2<FieldOf<Set>> pairing_with(const Point1& r) const {
    const FixedLines<Set>* const kept = lines();
    return kept ? kept->pairing(r) : pairing(affine, r);
  }
  // The lines for the kernel `ifma`; null beyond the budget.
  [[nodiscard]] const ifma::KeyLines* lines8() const {
    const FixedLines<Set>* const kept = lines();
    if (!kept) return nullptr;
    std::call_once(made8_, [&] { lines8_ = std::make_unique<const ifma::KeyLines>(*kept); });
    return lines8_.get();
  }

 private:
  [[nodiscard]] const FixedLines<Set>* lines() const {
    std::call_once(decided_, [this] {
      if (live_lines.fetch_add(1, std::memory_order_relaxed) < most_lines.load(std::memory_order_relaxed)) {
        lines_ = std::make_unique<const FixedLines<Set>>(affine);
        return;
      }
      live_lines.fetch_sub(1, std::memory_order_relaxed);
    });
    return lines_.get();
  }

  mutable std::once_flag decided_, made8_;
  mutable std::unique_ptr<const FixedLines<Set>> lines_;
  mutable std::unique_ptr<const ifma::KeyLines> lines8_;
};

Rsk::Rsk(std::unique_ptr<Point> point) : point_(std::move(point)) {}
Rsk::Rsk(Rsk&&) noexcept = default;
Rsk& Rsk::operator=(Rsk&&) noexcept = default;
Rsk::~Rsk() = default;

Result<Rsk> Rsk::parse(OctetsView octets) {
  const ct::StackWiper stack;
  ct::Wiped<Point1> point;
  if (const PointFlaw flaw = parse_point<Set>(octets, *point); flaw != PointFlaw::none)
    return point_error(flaw, kRsk);
  return Rsk(std::make_unique<Point>(*point));
}

RskOctets Rsk::octets() const {
  RskOctets out;
  point_->affine.write(out.expose_mutable());
  return out;
}

Rsk Rsk::duplicate() const { return Rsk(std::make_unique<Point>(point_->affine)); }

// ---- the four verbs

Result<Rsk> extract(const MasterSecret& z, OctetsView identifier) {
  const ct::StackWiper stack;
  const ct::Wiped<Scalar> scalar(Scalar::of_octets(z.expose()));
  auto point = scheme::extract<Set>(*scalar, identifier);
  if (!point)
    return fail(Errc::conflict, "RFC 6508 6.1.1",
                "identifier + z = 0 mod q: the master secret has been hit or chosen",
                "raise an alarm, do not answer, replace the KMS master secret");
  Rsk rsk(std::make_unique<Rsk::Point>(*point));
  wipe(&point, sizeof point);
  return rsk;
}

namespace {

constexpr std::size_t kChunk =
    256;  // identities that share an inversion; beyond, their points leave the cache

std::size_t chunks_of(std::size_t size) { return (size + kChunk - 1) / kChunk; }
template <class T>
std::span<T> chunk_of(std::span<T> all, std::size_t i) {
  return all.subspan(i * kChunk, std::min(kChunk, all.size() - i * kChunk));
}

// False when the batch cannot tell which identifier is at fault.
bool extract_chunk(const Scalar& z, std::span<const OctetsView> identifiers, std::span<RskOctets> out) {
  ct::WipedArray<Point1> points(identifiers.size());
  if (!ifma::extract(z, identifiers, points)) return false;
  for (std::size_t i = 0; i < out.size(); ++i) {
    if (!ct::declassify(points[i].on_curve())) return false;
    points[i].write(out[i].expose_mutable());
  }
  return true;
}

Result<void> extract_one_by_one(const MasterSecret& z, std::span<const OctetsView> identifiers,
                                std::span<RskOctets> out) {
  for (std::size_t i = 0; i < out.size(); ++i) {
    const Rsk rsk = TRY(extract(z, identifiers[i]));
    if (!ct::declassify(rsk.point().affine.on_curve()))
      return fail(Errc::internal, "RFC 6508 6.1.1", "a receiver secret key just made is not on the curve",
                  "take this machine out of service: its arithmetic fails");
    out[i] = rsk.octets();
  }
  return {};
}

}  // namespace

Result<std::vector<RskOctets>> extract_all(const MasterSecret& z, std::span<const OctetsView> identifiers) {
  const bool vectors = active_kernel() == Kernel::ifma;
  std::vector<RskOctets> out(identifiers.size());
  std::vector<std::optional<Error>> errors(chunks_of(identifiers.size()));
  for_each_chunk(errors.size(), [&](std::size_t i) {
    const ct::StackWiper stack;
    const ct::Wiped<Scalar> scalar(Scalar::of_octets(z.expose()));
    const auto chunk = chunk_of(identifiers, i);
    const auto keys = chunk_of(std::span(out), i);
    if (vectors && chunk.size() > 1 && extract_chunk(*scalar, chunk, keys)) return;
    auto one_by_one = extract_one_by_one(z, chunk, keys);
    if (!one_by_one.ok()) errors[i] = std::move(one_by_one).error();
  });
  for (std::optional<Error>& error : errors)
    if (error) return std::move(*error);
  return out;
}

Result<void> verify(const KmsPublicKey& kms, OctetsView identifier, const Rsk& rsk) {
  const ct::StackWiper stack;
  if (!scheme::verify<Set>(kms.tables().point, identifier, rsk.point().affine))
    return fail(Errc::bad_signature, "RFC 6508 6.1.2", "the RSK does not belong to this identifier and KMS",
                "compare identity, KMS URI and key period with the KMS, then ask for the keys again");
  return {};
}

namespace {

bool encapsulate_portable(OctetsView ssv, std::span<const Recipient> recipients, std::span<Octets> out) {
  std::vector<scheme::Target<Set>> targets;
  targets.reserve(recipients.size());
  for (const Recipient& recipient : recipients)
    targets.push_back({recipient.identifier, &recipient.kms->tables().table()});
  return scheme::encapsulate<Set>(ssv, targets, out);
}

// All of one KMS.
bool encapsulate_ifma(OctetsView ssv, std::span<const Recipient> recipients, std::span<Octets> out) {
  std::vector<OctetsView> identifiers;
  identifiers.reserve(recipients.size());
  for (const Recipient& recipient : recipients) identifiers.push_back(recipient.identifier);
  return ifma::encapsulate(ssv, identifiers, recipients.front().kms->tables().table8(), out);
}

// How many from the front belong to the KMS of the first, one chunk at most.
std::size_t one_kms(std::span<const Recipient> recipients) {
  const auto* const tables = &recipients.front().kms->tables();
  const auto other = std::find_if(recipients.begin(), recipients.end(),
                                  [&](const Recipient& one) { return &one.kms->tables() != tables; });
  return std::min(kChunk, static_cast<std::size_t>(other - recipients.begin()));
}

bool encapsulate_all(OctetsView ssv, std::span<const Recipient> recipients, std::span<Octets> out) {
  const bool vectors = active_kernel() == Kernel::ifma;
  std::vector<std::pair<std::size_t, std::size_t>> chunks;  // from, count
  for (std::size_t at = 0; at < out.size(); at += chunks.back().second) {
    const auto rest = recipients.subspan(at);
    chunks.emplace_back(at, vectors ? one_kms(rest) : std::min(kChunk, rest.size()));
  }
  std::atomic<bool> good{true};
  for_each_chunk(chunks.size(), [&](std::size_t i) {
    const ct::StackWiper stack;
    const auto [from, count] = chunks[i];
    if (!(vectors && count > 1 ? encapsulate_ifma : encapsulate_portable)(
            ssv, recipients.subspan(from, count), out.subspan(from, count)))
      good = false;
  });
  return good;
}

// The positions of the recipients, those of one KMS together.
std::vector<std::size_t> by_kms(std::span<const Recipient> recipients) {
  std::vector<std::size_t> order(recipients.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::stable_sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) {
    return std::less<>()(&recipients[a].kms->tables(), &recipients[b].kms->tables());
  });
  return order;
}

}  // namespace

Result<std::vector<Octets>> encapsulate(OctetsView ssv, std::span<const Recipient> recipients) {
  const ct::StackWiper stack;
  if (ssv.size() != 16 && ssv.size() != 32)
    return fail(Errc::usage, "RFC 6509 Appendix A", "an SSV has 16 octets, not " + std::to_string(ssv.size()),
                "give 16 octets");
  const std::vector<std::size_t> order = by_kms(recipients);
  std::vector<Recipient> sorted;
  sorted.reserve(order.size());
  for (const std::size_t i : order) sorted.push_back(recipients[i]);
  std::vector<Octets> made(order.size()), out(order.size());
  if (!encapsulate_all(ssv, sorted, made))
    return fail(Errc::conflict, "RFC 6508 6.2.1", "this SSV or an identifier gives the neutral element",
                "draw another SSV");
  for (std::size_t i = 0; i < order.size(); ++i) out[order[i]] = std::move(made[i]);
  return out;
}

namespace {

Error undecryptable() {
  return fail(Errc::undecryptable, "RFC 6508 6.2.2", "the encapsulated data does not open with this key",
              "compare receiver identity, KMS and key period with the sender's");
}

}  // namespace

Result<SecretOctets> decapsulate(const KmsPublicKey& kms, OctetsView identifier, const Rsk& rsk,
                                 OctetsView encapsulated, std::size_t ssv_size) {
  const ct::StackWiper stack;
  if (ssv_size != 16 && ssv_size != 32)
    return fail(Errc::usage, "RFC 6509 Appendix A", "an SSV has 16 octets, not " + std::to_string(ssv_size),
                "give 16 octets");
  Point1 r;
  if (encapsulated.size() != kPoint + ssv_size) return undecryptable();
  if (parse_on_curve<Set>(encapsulated.first(kPoint), r) != PointFlaw::none) return undecryptable();
  const OctetsView h = encapsulated.subspan(kPoint);
  const ct::Wiped<Fp2<FieldOf<Set>>> w(rsk.point().pairing_with(r));
  for (const auto rule : {scheme::MaskRule::rfc6508, scheme::MaskRule::long_count}) {
    if (rule == scheme::MaskRule::long_count && ssv_size != 32) break;
    SecretOctets ssv(ssv_size);
    const Mask good = scheme::open(*w, r, h, identifier, kms.tables().table(), rule, ssv.expose_mutable());
    if (ct::declassify(good)) return ssv;
  }
  return undecryptable();
}

namespace {

// Where the batch engine has something to do: by the place of the message.
struct Batch {
  std::vector<std::size_t> places;
  std::vector<ifma::Closed> closed;
};

// Fills `out` for one chunk of one KMS; false when each message must be opened alone.
bool open_chunk(const Batch& batch, std::size_t chunk, const KmsPublicKey& kms,
                std::vector<Result<SecretOctets>>& out) {
  const auto closed = chunk_of(std::span(batch.closed), chunk);
  const auto places = chunk_of(std::span(batch.places), chunk);
  std::vector<Secret<16>> ssvs(closed.size());
  std::vector<Mask> good(closed.size());
  if (!ifma::open(closed, kms.tables().table8(), ssvs, good)) return false;
  for (std::size_t i = 0; i < closed.size(); ++i)
    if (ct::declassify(good[i])) out[places[i]] = SecretOctets(ssvs[i].expose());
  return true;
}

void open_one_by_one(std::span<const Sealed> messages, std::span<const std::size_t> places,
                     std::vector<Result<SecretOctets>>& out) {
  for (const std::size_t i : places) {
    const Sealed& one = messages[i];
    out[i] = decapsulate(*one.kms, one.identifier, *one.rsk, one.encapsulated);
  }
}

}  // namespace

std::vector<Result<SecretOctets>> decapsulate_all(std::span<const Sealed> messages) {
  const ct::StackWiper stack;
  std::vector<Result<SecretOctets>> out;
  for (std::size_t i = 0; i < messages.size(); ++i) out.emplace_back(undecryptable());
  std::map<const KmsPublicKey::Tables*, Batch> by_kms;
  std::vector<std::size_t> alone;
  for (std::size_t i = 0; i < messages.size(); ++i) {
    const Sealed& one = messages[i];
    Point1 r;
    if (one.encapsulated.size() != kPoint + 16) continue;
    if (parse_on_curve<Set>(one.encapsulated.first(kPoint), r) != PointFlaw::none) continue;
    if (r.y.is_zero()) continue;  // of order 2: no multiple of Q
    const auto* const lines = active_kernel() == Kernel::ifma ? one.rsk->point().lines8() : nullptr;
    if (!lines) {
      alone.push_back(i);
      continue;
    }
    Batch& batch = by_kms[&one.kms->tables()];
    batch.places.push_back(i);
    batch.closed.push_back({r, one.encapsulated.subspan(kPoint), one.identifier, lines});
  }
  for (const auto& entry : by_kms) {
    const Batch& batch = entry.second;  // a lambda takes no structured binding
    const std::span<const std::size_t> places(batch.places);
    for_each_chunk(chunks_of(places.size()), [&](std::size_t i) {
      const ct::StackWiper wiper;
      const auto chunk = chunk_of(places, i);
      if (chunk.size() == 1 || !open_chunk(batch, i, *messages[chunk.front()].kms, out))
        open_one_by_one(messages, chunk, out);
    });
  }
  open_one_by_one(messages, alone, out);
  return out;
}

}  // namespace regroup::crypto::sakke
