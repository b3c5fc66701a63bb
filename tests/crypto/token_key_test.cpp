// SPDX-License-Identifier: Apache-2.0
// A key in a token of SoftHSM, and what is refused about modules, tokens and keys.
#include "crypto/token_key.hpp"

#include <dlfcn.h>
#include <gmock/gmock.h>

#include "crypto/counting_module.hpp"
#include "crypto/random.hpp"
#include "crypto/soft_token.hpp"
#include "crypto/token_module.hpp"

namespace regroup::crypto {
namespace {

using testing::HasSubstr;
using testing::Not;
namespace fs = std::filesystem;

std::string new_folder() {
  std::string name = (fs::temp_directory_path() / "regroup-token-XXXXXX").string();
  return ::mkdtemp(name.data());
}

class Token : public testing::Test {
 protected:
  Token() {
    void* const library = ::dlopen(REGROUP_COUNTING_MODULE, RTLD_NOW | RTLD_LOCAL | RTLD_NODELETE);
    using Counts = test::ModuleCounts* (*)();
    if (library) counts_ = reinterpret_cast<Counts>(::dlsym(library, "regroup_counts"))();
    if (counts_) *counts_ = {};
  }
  void SetUp() override { ASSERT_TRUE(counts_); }
  ~Token() override {
    std::error_code ignored;
    fs::remove_all(folder_, ignored);
  }
  [[nodiscard]] TokenDoor door() const { return {REGROUP_COUNTING_MODULE, tokens_.pin_file()}; }
  [[nodiscard]] Result<TokenKey> make(const std::string& key = "store", const std::string& token = "kms") {
    return TokenKey::make(door(), token, key, random_);
  }
  void expect_refused(const Result<TokenKey>& result, Errc code, const std::string& why) {
    ASSERT_FALSE(result.ok()) << why;
    EXPECT_EQ(result.error().code, code) << result.error().text();
    EXPECT_THAT(result.error().text(), HasSubstr(why));
    EXPECT_FALSE(result.error().cure.empty());
    EXPECT_THAT(result.error().text(), Not(HasSubstr(test::kSoftPin)));
    expect_all_closed();
  }
  void expect_all_closed() const {
    EXPECT_EQ(counts_->initialized, counts_->finalized);
    EXPECT_EQ(counts_->opened, counts_->closed);
  }

  struct About {
    CK_KEY_TYPE type = CKK_AES;
    CK_ULONG size = 32;
    CK_BBOOL extractable = 0, sensitive = 1, is_private = 1;
  };
  // A key that somebody else made.
  void put_key(const std::string& label, About about) {
    const auto session = TokenSession::open(door(), "kms", {}, TokenSessionMode::changing).value();
    CK_OBJECT_CLASS kind = CKO_SECRET_KEY;
    CK_BBOOL yes = 1;
    std::string name = label;
    std::vector<CK_ATTRIBUTE> all{{CKA_CLASS, &kind, sizeof kind},
                                  {CKA_KEY_TYPE, &about.type, sizeof about.type},
                                  {CKA_VALUE_LEN, &about.size, sizeof about.size},
                                  {CKA_LABEL, name.data(), name.size()},
                                  {CKA_TOKEN, &yes, 1},
                                  {CKA_ENCRYPT, &yes, 1},
                                  {CKA_DECRYPT, &yes, 1},
                                  {CKA_PRIVATE, &about.is_private, 1},
                                  {CKA_SENSITIVE, &about.sensitive, 1},
                                  {CKA_EXTRACTABLE, &about.extractable, 1}};
    CK_MECHANISM mechanism{about.type == CKK_AES ? CKM_AES_KEY_GEN : CKM_GENERIC_SECRET_KEY_GEN, nullptr, 0};
    CK_OBJECT_HANDLE key = 0;
    ASSERT_EQ(session.call().C_GenerateKey(session.handle(), &mechanism, all.data(), all.size(), &key),
              CKR_OK);
  }

  std::string folder_ = new_folder();
  test::SoftTokens tokens_{folder_};
  test::ModuleCounts* counts_ = nullptr;
  SystemRandom random_;
};

TEST_F(Token, MakesItsKeyOnceAndTheKeyCannotLeave) {
  const TokenKeyName first = make().value().name();
  const TokenKeyName again = make().value().name();
  EXPECT_EQ(first.id, again.id);
  EXPECT_EQ(first.id.size(), 16U);
  EXPECT_EQ(first.token, "kms");
  EXPECT_FALSE(first.serial.empty());
  expect_all_closed();

  const auto session = TokenSession::open(door(), "kms", {}, TokenSessionMode::reading).value();
  CK_OBJECT_CLASS kind = CKO_SECRET_KEY;
  CK_ATTRIBUTE wanted{CKA_CLASS, &kind, sizeof kind};
  CK_OBJECT_HANDLE key = 0;
  CK_ULONG count = 0;
  ASSERT_EQ(session.call().C_FindObjectsInit(session.handle(), &wanted, 1), CKR_OK);
  ASSERT_EQ(session.call().C_FindObjects(session.handle(), &key, 1, &count), CKR_OK);
  session.call().C_FindObjectsFinal(session.handle());
  ASSERT_EQ(count, 1U);
  Fixed<64> value{};
  CK_ATTRIBUTE octets{CKA_VALUE, value.data(), value.size()};
  EXPECT_EQ(session.call().C_GetAttributeValue(session.handle(), key, &octets, 1), CKR_ATTRIBUTE_SENSITIVE);
  for (const CK_ATTRIBUTE_TYPE type : {CKA_NEVER_EXTRACTABLE, CKA_ALWAYS_SENSITIVE, CKA_PRIVATE}) {
    CK_BBOOL set = 0;
    CK_ATTRIBUTE one{type, &set, 1};
    EXPECT_EQ(session.call().C_GetAttributeValue(session.handle(), key, &one, 1), CKR_OK);
    EXPECT_EQ(set, 1);
  }
}

TEST_F(Token, OpensWhatItSealedAndNothingElse) {
  constexpr std::string_view kText = "thirty-two octets of a store key";
  Octets sealed;
  {
    TokenKey key = make().value();
    sealed = key.seal(view("place"), view(kText), random_).value();
    EXPECT_EQ(sealed.size(), 12U + 32U + 16U);
    EXPECT_NE(sealed, key.seal(view("place"), view(kText), random_).value()) << "an IV of its own each time";
    EXPECT_EQ(text_of(key.open(view("place"), sealed).value().expose()), kText);
    EXPECT_EQ(key.open(view("plane"), sealed).error().code, Errc::undecryptable);
    for (std::size_t i = 0; i < sealed.size(); ++i) {
      Octets altered = sealed;
      altered[i] ^= 1;
      EXPECT_FALSE(key.open(view("place"), altered).ok()) << i;
      EXPECT_FALSE(key.open(view("place"), OctetsView(sealed).first(i)).ok()) << i;
    }
    EXPECT_TRUE(key.open(view("place"), sealed).ok()) << "what failed before leaves nothing behind";
  }
  EXPECT_EQ(make("other").value().open(view("place"), sealed).error().code, Errc::undecryptable);
}

TEST_F(Token, TriesAPinOnce) {
  const TokenKeyName name = make().value().name();
  tokens_.write("pin", "pin-471109\n", 0600);
  *counts_ = {};
  const auto wrong = TokenKey::open(door(), name);
  expect_refused(wrong, Errc::not_authorised, "PIN");
  EXPECT_THAT(wrong.error().text(), Not(HasSubstr("471109")));
  EXPECT_EQ(counts_->logins, 1);
  tokens_.write("pin", "1\n", 0600);  // shorter than a PIN can be
  expect_refused(TokenKey::open(door(), name), Errc::not_authorised, "PIN");
  tokens_.write("pin", std::string(test::kSoftPin) + "\n", 0644);
  expect_refused(TokenKey::open(door(), name), Errc::usage, "other users");
  fs::remove(tokens_.pin_file());
  expect_refused(TokenKey::open(door(), name), Errc::usage, "PIN file");
}

TEST_F(Token, TriesNoPinThatCouldLock) {
  const TokenKeyName name = make().value().name();
  *counts_ = {};
  counts_->more_token_flags = CKF_USER_PIN_FINAL_TRY;
  expect_refused(TokenKey::open(door(), name), Errc::storage, "locks at the next wrong PIN");
  counts_->more_token_flags = CKF_USER_PIN_LOCKED;
  expect_refused(TokenKey::open(door(), name), Errc::storage, "is locked");
  EXPECT_EQ(counts_->logins, 0);
}

TEST_F(Token, IsLeftAsSoonAsItsKeyIsUsed) {
  { const TokenKey key = make().value(); }
  EXPECT_EQ(counts_->initialized, 1);
  EXPECT_EQ(counts_->logins, 1);
  EXPECT_EQ(counts_->logouts, 1);
  expect_all_closed();
}

TEST_F(Token, FilesThatAreNoModuleAreRefusedByName) {
  const std::string text = folder_ + "/text.so", copy = folder_ + "/copy.so";
  std::ofstream(text) << "not a library\n";
  const auto with = [&](const std::string& module) {
    return TokenKey::make({module, tokens_.pin_file()}, "kms", "store", random_);
  };
  expect_refused(with(folder_ + "/missing.so"), Errc::usage, "missing.so");
  expect_refused(with(text), Errc::usage, "cannot be loaded");
  expect_refused(with(folder_), Errc::usage, "not a regular file");
  expect_refused(with("libc.so.6"), Errc::usage, "No such file");  // never from the library search path
  Dl_info libc{};
  ASSERT_NE(::dladdr(reinterpret_cast<void*>(&::getenv), &libc), 0);
  fs::copy_file(REGROUP_COUNTING_MODULE, copy);
  ::chmod(copy.c_str(), 0666);
  expect_refused(with(copy), Errc::usage, "can be changed by other users");
  const std::string c_library = fs::exists("/lib/x86_64-linux-gnu/libc.so.6")
                                    ? "/lib/x86_64-linux-gnu/libc.so.6"
                                    : std::string(libc.dli_fname);
  expect_refused(with(c_library), Errc::usage, "no PKCS#11 module");
}

TEST_F(Token, ThatIsAbsentOrAmbiguousIsRefusedByName) {
  const auto absent = make("store", "kmz");
  expect_refused(absent, Errc::storage, "kmz is not there");
  EXPECT_THAT(absent.error().text(), HasSubstr("has kms"));
  const TokenKeyName name = make().value().name();
  tokens_.add("kms");
  expect_refused(make(), Errc::storage, "more than once");
  EXPECT_TRUE(TokenKey::open(door(), name).ok()) << "the serial number decides";
  TokenKeyName cloned = name;
  cloned.serial = "another";
  expect_refused(TokenKey::open(door(), cloned), Errc::storage, "more than once");
}

TEST_F(Token, ACloneWithAnotherSerialNumberIsTheToken) {
  TokenKeyName name = make().value().name();
  name.serial = "0123456789abcdef";
  EXPECT_TRUE(TokenKey::open(door(), name).ok());
}

TEST_F(Token, KeysThatCouldLeaveItAreRefusedByName) {
  put_key("extractable", {.extractable = 1});
  put_key("readable", {.sensitive = 0});
  put_key("public", {.is_private = 0});
  put_key("short", {.size = 16});
  put_key("secret", {.type = CKK_GENERIC_SECRET});
  expect_refused(make("extractable"), Errc::unsupported, "CKA_EXTRACTABLE");
  expect_refused(make("readable"), Errc::unsupported, "CKA_SENSITIVE");
  expect_refused(make("public"), Errc::unsupported, "CKA_PRIVATE");
  expect_refused(make("short"), Errc::unsupported, "256 bits");
  expect_refused(make("secret"), Errc::unsupported, "256 bits");
  TokenKeyName name = make().value().name();
  for (const auto& [label, why] :
       {std::pair("extractable", "CKA_EXTRACTABLE"), std::pair("readable", "CKA_SENSITIVE")}) {
    name.key = label;  // exchanged after the store was made
    name.id.clear();
    expect_refused(TokenKey::open(door(), name), Errc::unsupported, why);
  }
}

TEST_F(Token, AKeyThatIsGoneOrThereTwiceIsRefusedByName) {
  TokenKeyName name = make().value().name();
  name.id[0] ^= 1;
  expect_refused(TokenKey::open(door(), name), Errc::storage, "is not in the token");
  put_key("twin", {});
  put_key("twin", {});
  expect_refused(make("twin"), Errc::conflict, "more than once");
  expect_refused(make(""), Errc::usage, "label");
  expect_refused(make(std::string(65, 'x')), Errc::usage, "label");
}

}  // namespace
}  // namespace regroup::crypto
