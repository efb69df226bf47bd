#!/bin/sh
# Two machines that only the test sees: network namespaces with addresses of their own on one wire, each with its processes, mounts and
# host name, and its own identity of a boot. Runs inside `unshare --net --mount`; the wire is 10.0.0.1 here. Argument: a folder.
set -e
folder=$1
mkdir -p /run/netns
mount -t tmpfs none /run/netns
ip link set lo up
ip link add wire type bridge
ip address add 10.0.0.1/24 dev wire
ip link set wire up
for machine in mail-a mail-b; do
  case $machine in mail-a) own=10.0.0.11 ;; *) own=10.0.0.12 ;; esac
  ip netns add $machine
  ip link add to-$machine type veth peer name eth0 netns $machine
  ip link set to-$machine master wire up
  ip -n $machine link set lo up
  ip -n $machine link set eth0 up
  ip -n $machine address add $own/24 dev eth0
  echo "boot of $machine" > "$folder/$machine.boot"
  ip netns exec $machine unshare --mount --uts --pid --fork --kill-child sh -c "
    mount -t proc proc /proc
    mount --bind $folder/$machine.boot /proc/sys/kernel/random/boot_id
    hostname $machine
    exec sleep infinity" &
  until [ -n "$(pid=$(ip netns pids $machine | while read p; do [ "$(cat /proc/$p/comm)" = sleep ] && echo $p; done); echo "$pid" | tee "$folder/$machine.pid")" ]; do sleep 0.1; done
done
