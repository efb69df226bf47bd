#!/bin/sh
# Takes a back-end over on this machine: fences the other one, then volume, address, program, in this order. Nothing is done after a
# step that failed. For an operator, for `notify_master` of keepalived, and what a cluster manager does by its own resources.
#
#   take-over.sh be1        reads /etc/waybill/pair/be1 (another folder: WAYBILL_PAIR):
#
#     OTHER=mail-b                             # the other machine, as the fencing script knows it
#     FENCE=/etc/waybill/pair/fence            # `FENCE mail-b` returns 0 only when that machine is certainly off
#     DEVICE=/dev/drbd0 FOLDER=/srv/be1        # the volume, and where it is mounted
#     ADDRESS=10.0.0.31/24 INTERFACE=eth0      # the floating address: nodes.be1.host
#     START="systemctl start waybill-backend@be1"     # a unit with --take-over
set -eu
node=$1
. "${WAYBILL_PAIR:-/etc/waybill/pair}/$node"
say() { echo "take-over of $node: $*" >&2; }

"$FENCE" "$OTHER" || { say "$OTHER was not fenced: nothing is done"; exit 1; }
say "$OTHER is off"
mountpoint -q "$FOLDER" || mount "$DEVICE" "$FOLDER"
say "$FOLDER is mounted"
ip address replace "$ADDRESS" dev "$INTERFACE"
if command -v arping >/dev/null; then arping -q -U -c 3 -I "$INTERFACE" "${ADDRESS%/*}" || say "neighbours were not told"; fi
say "$ADDRESS is here"
exec $START
