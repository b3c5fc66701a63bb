# SPDX-License-Identifier: Apache-2.0
# usage: bites.sh READER FOLDER OBJECT      the object is that of planted.cpp
set -u
reader=$1 folder=$2 object=$3
list=$folder/planted.txt
failed=0
fail() {
  echo "FAILED: $1"
  failed=1
}
refused() { # refused WORDS: the reader refuses the list with a line that has these words
  "$reader" "$list" "$object" >"$folder/planted.out" 2>&1 && fail "taken, where '$1' was due"
  grep -q "$1" "$folder/planted.out" || fail "nothing says '$1'"
}

: >"$list" # an empty list
refused 'gather: reads or writes where lanes say'
refused 'scatter: reads or writes where lanes say'
refused 'division: divides'
refused 'compress: takes another time'
refused 'table: jumps through a table'
refused 'branch: branch at `planted.cpp: if (secret & 1) multiply(value);`'
refused 'index: index at'
refused 'lane: leaves at'
refused 'mask: leaves at'
refused 'library: call at `memcmp()`'
refused 'pointer: call at'
grep -q 'nothing' "$folder/planted.out" && fail "a sum was called a fault"

# A list takes the faults that may be reviewed, never the others, and only with a reason and in their number.
"$reader" --print "$list" "$object" 2>/dev/null | sed 's/ | ?$/ | reviewed/' >"$folder/planted.new"
mv "$folder/planted.new" "$list"
refused 'gather: reads or writes where lanes say'
grep -q 'branch: branch at' "$folder/planted.out" && fail "a listed branch was refused"
sed -i 's/^branch 1 | planted::branch | \(.*\) | reviewed/branch 2 | planted::branch | \1 | reviewed/' "$list"
refused 'branch: 1 times branch at .* listed 2'
sed -i 's/^branch 2 | planted::branch | \(.*\) | reviewed/branch 1 | planted::branch | \1 | ?/' "$list"
refused 'branch: branch at .* has no reason'
sed -i 's/^branch 1 | planted::branch | .*/branch 1 | planted::branch | planted.cpp: if (gone) | reviewed/' "$list"
refused 'is listed and no longer there'
exit $failed
