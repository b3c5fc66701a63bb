// SPDX-License-Identifier: Apache-2.0
// A PKCS#11 module for tests: SoftHSM, its calls counted, its token with flags that the test sets.
#include <dlfcn.h>
#include <p11-kit/pkcs11.h>

#include "crypto/counting_module.hpp"

namespace {

CK_FUNCTION_LIST* real = nullptr;
CK_FUNCTION_LIST counting;
regroup::test::ModuleCounts counts;

CK_RV initialize(void* arguments) {
  ++counts.initialized;
  return real->C_Initialize(arguments);
}
CK_RV finalize(void* reserved) {
  ++counts.finalized;
  return real->C_Finalize(reserved);
}
CK_RV open_session(CK_SLOT_ID slot, CK_FLAGS flags, void* application, CK_NOTIFY notify,
                   CK_SESSION_HANDLE* session) {
  ++counts.opened;
  return real->C_OpenSession(slot, flags, application, notify, session);
}
CK_RV close_session(CK_SESSION_HANDLE session) {
  ++counts.closed;
  return real->C_CloseSession(session);
}
CK_RV login(CK_SESSION_HANDLE session, CK_USER_TYPE user, unsigned char* pin, unsigned long size) {
  ++counts.logins;
  return real->C_Login(session, user, pin, size);
}
CK_RV logout(CK_SESSION_HANDLE session) {
  ++counts.logouts;
  return real->C_Logout(session);
}
CK_RV token_info(CK_SLOT_ID slot, CK_TOKEN_INFO* info) {
  const CK_RV rv = real->C_GetTokenInfo(slot, info);
  if (rv == CKR_OK) info->flags |= counts.more_token_flags;
  return rv;
}

}  // namespace

extern "C" {

regroup::test::ModuleCounts* regroup_counts() { return &counts; }

CK_RV C_GetFunctionList(CK_FUNCTION_LIST** list) {
  using Get = CK_RV (*)(CK_FUNCTION_LIST**);
  void* const library = ::dlopen(REGROUP_SOFTHSM, RTLD_NOW | RTLD_LOCAL | RTLD_NODELETE);
  const auto get = library ? reinterpret_cast<Get>(::dlsym(library, "C_GetFunctionList")) : nullptr;
  if (!get || get(&real) != CKR_OK) return CKR_GENERAL_ERROR;
  counting = *real;
  counting.C_Initialize = initialize;
  counting.C_Finalize = finalize;
  counting.C_OpenSession = open_session;
  counting.C_CloseSession = close_session;
  counting.C_Login = login;
  counting.C_Logout = logout;
  counting.C_GetTokenInfo = token_info;
  *list = &counting;
  return CKR_OK;
}
}
