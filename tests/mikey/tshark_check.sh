#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# tshark as an independent decoder: every message of the vectors, wrapped as UDP to port 2269, must give the fields
# that our own reader sees, and no malformed flag. tshark proves layout, not cryptography.
# usage: tshark_check.sh MIKEY_FIELDS_PROGRAM      exit 77: tshark is not installed
set -eu
for tool in tshark text2pcap od; do
  command -v "$tool" >/dev/null || { echo "skipped: $tool is not installed (apt-get install tshark)"; exit 77; }
done
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
"$1" "$dir"
count=0
for message in "$dir"/*.bin; do
  name=${message%.bin}
  od -Ax -tx1 -v "$message" | text2pcap -q -u 40000,2269 - "$name.pcap" 2>"$name.log" || { cat "$name.log"; exit 1; }
  TZ=UTC tshark -n -r "$name.pcap" -Y mikey -T fields \
    -e mikey.type -e mikey.csb_id -e mikey.rand.data -e mikey.id.role -e mikey.id.len -e mikey.sakke.params \
    -e mikey.sakke.idscheme -e mikey.sakke.len -e mikey.ext.type -e mikey.ext.len -e mikey.sign.type \
    -e mikey.sign.len -e _ws.malformed >"$name.got" 2>"$name.log" || { cat "$name.log"; exit 1; }
  diff -u "$name.expected" "$name.got" || { echo "tshark reads $message differently"; exit 1; }
  count=$((count + 1))
done
[ "$count" -gt 0 ] || { echo "no messages were compared"; exit 1; }
echo "$count messages read alike by tshark"
