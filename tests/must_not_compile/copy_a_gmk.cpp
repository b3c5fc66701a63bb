// SPDX-License-Identifier: Apache-2.0
// A copy of a key is spelled duplicate().
// because: use of deleted function|call to implicitly-deleted copy constructor
#include "gktp/key_material.hpp"

regroup::gktp::KeyMaterial copy(const regroup::gktp::KeyMaterial& key) {
#ifdef MUST_NOT_COMPILE
  return key;
#endif
  return key.duplicate();
}
