// SPDX-License-Identifier: Apache-2.0
// Records read back from a store, whatever became of them: each is refused and leaves nothing, or is taken,
// and then the role can be asked everything and writes the record as it was read. Input: records, each a
// letter for its kind, two octets of length, the value. Where the identifier is not part of the value, its
// length and octets stand first.
#include "gms/gms.hpp"
#include "mcx/domain.hpp"
#include "refusal.hpp"
#include "ue/ue.hpp"

using namespace regroup;

namespace {

constexpr std::string_view kMember = "sip:user.001@alpha.example", kGroup = "sip:fire-1@alpha.example";
const FixedClock kClock({0xed4fd718, 0});
const mcx::Domains kDomains;
const std::vector<mcx::KeySet> kKeySets;

class NoRandom final : public Random {
 public:
  void fill(std::span<std::uint8_t> out) override { std::fill(out.begin(), out.end(), std::uint8_t{7}); }
};
class Nobody final : public gms::Presence {
 public:
  [[nodiscard]] bool subscribed(const std::string&) const override { return false; }
};

gms::Gms new_gms() {
  static const gms::Settings settings;
  static const Nobody presence;
  static NoRandom random;
  return gms::Gms({settings, kDomains, kKeySets, presence, kClock, random});
}
ue::Ue new_ue() {
  static const ue::Settings settings;
  return ue::Ue({settings, kDomains, kKeySets, kClock});
}

struct Kind {
  char letter;
  std::string_view name;
  bool server;  // a record of the GMS, else of the UE
  bool named;   // its identifier is not inside the value: taken from the input
};
constexpr Kind kKinds[] = {
    {'g', "group", true, false},   {'k', "key", true, false},     {'l', "ledger", true, false},
    {'r', "regroup", true, false}, {'a', "answer", true, true},   {'R', "ring", false, false},
    {'S', "seen", false, true},    {'E', "receipt", false, true}, {'D', "document", false, true}};

std::vector<std::pair<const Kind*, Record>> records_of(OctetsView input) {
  std::vector<std::pair<const Kind*, Record>> out;
  Reader reader(input);
  while (reader.remaining() > 3 && out.size() < 64) {
    const auto letter = static_cast<char>(reader.take_uint(1, "kind"));
    const auto* kind =
        std::find_if(std::begin(kKinds), std::end(kKinds), [&](const Kind& k) { return k.letter == letter; });
    if (kind == std::end(kKinds)) break;
    const std::size_t length = std::min<std::size_t>(reader.take_uint(2, "length"), reader.remaining());
    OctetsView value = reader.take(length, "value");
    std::string id = "id";
    if (kind->named) {
      const std::size_t size = value.empty() ? 0 : std::min<std::size_t>(value[0], value.size() - 1);
      id = std::string(text_of(value.subspan(value.empty() ? 0 : 1, size)));
      value = value.subspan(value.empty() ? 0 : size + 1);
    }
    out.emplace_back(kind, Record{std::string(kind->name), id, SecretOctets(value)});
  }
  return out;
}

// ---- the server

std::size_t records_in(const gms::State& s) {
  return s.groups.size() + s.keys.size() + s.ledger.size() + s.regroups.size() + s.answers.size();
}

template <class T>
void expect_rewritten(const T& value) {
  const SecretOctets once = encode_record(value);
  const auto read = decode_record<T>(once.expose(), "record");
  FUZZ_EXPECT(read.ok() && ct_equal(encode_record(*read).expose(), once.expose()));
}

void rewrite(const gms::State& state) {
  for (const auto& [id, one] : state.groups) expect_rewritten(one);
  for (const auto& [id, one] : state.keys) expect_rewritten(one);
  for (const auto& [id, one] : state.ledger) expect_rewritten(one);
  for (const auto& [id, one] : state.regroups) expect_rewritten(one);
  for (const auto& [id, one] : state.answers) expect_rewritten(one);
}

// Every question of the fronts, for every reader and group that the records name.
void ask(const gms::Gms& gms) {
  for (const auto& [at, row] : gms.state().ledger) {
    FUZZ_EXPECT(!gms::name_of(row.state).empty());
    const auto groups = gms.collection(at.second);
    FUZZ_EXPECT(std::is_sorted(groups.begin(), groups.end()));
    for (const std::string& group : groups)
      for (const gms::VisiblePayload& one : gms.visible(at.second, group))
        FUZZ_EXPECT(!one.message->empty() && gms.state().ledger.count({one.key, at.second}) == 1);
  }
  for (const auto& [id, group] : gms.state().groups) {
    for (const gms::LedgerRow* row : gms.ledger_of(id)) FUZZ_EXPECT(gms.state().keys.count(row->key) == 1);
    for (const gms::Key* key : gms.keys_of(id)) FUZZ_EXPECT(!key->withdrawn);
    static_cast<void>(gms.regroup_of(id));
    static_cast<void>(gms.visible(std::string(kMember), id));
  }
}

// ---- the client

void use_keys(const ue::Ue& ue) {
  for (const auto& [id, key] : ue.ring().keys()) {
    FUZZ_EXPECT(!ue::name_of(key.state).empty());
    expect_rewritten(key);
    const auto sending = ue.ring().for_transmission(key.group, mcx::KeyUse::media, kClock.now());
    const auto receiving = ue.ring().for_reception(key.group, id, mcx::KeyUse::floor, kClock.now());
    for (const auto* found : {&sending, &receiving}) {
      if (!found->ok()) continue;
      FUZZ_EXPECT((**found)->state == ue::KeyState::active);
      static_cast<void>(ue::srtp_keys_of(***found, key.guk_id));
    }
  }
}

// The key document is gone: every active key is withdrawn, and what is written then can be read.
void empty_documents(ue::Ue& ue) {
  for (const std::string& group : ue.documents()) static_cast<void>(ue.document(group, {}));
  ue::Received last = ue.document(std::string(kGroup), {});
  ue::Ue again = new_ue();
  for (const Write& one : last.writes)
    if (one.value) FUZZ_EXPECT(again.restore(Record{one.kind, one.id, one.value->duplicate()}).ok());
  for (const auto& [id, key] : ue.ring().keys()) FUZZ_EXPECT(key.state != ue::KeyState::active);
  for (const ue::Receipt& one : ue.receipts()) expect_rewritten(one);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  gms::Gms gms = new_gms();
  ue::Ue ue = new_ue();
  for (auto& [kind, record] : records_of(OctetsView(data, size))) {
    const std::size_t before = records_in(gms.state()), keys = ue.ring().keys().size();
    const auto restored = kind->server ? gms.restore(record) : ue.restore(record);
    if (restored.ok()) continue;
    FUZZ_EXPECT(!restored.error().detail.empty());
    FUZZ_EXPECT(records_in(gms.state()) == before && ue.ring().keys().size() == keys);
  }
  rewrite(gms.state());
  ask(gms);
  use_keys(ue);
  empty_documents(ue);
  return 0;
}
