# The node's first process: a mount and process namespace in which containerd, kubelet and pods live and die together.
# The places where they leave files, whatever their flags say, are fresh here and go with the namespace.
set -eu
pause=$1 cgroup=$2 ready=$3
mount --make-rshared /
for place in /run /var/lib /var/log; do mount -t tmpfs testbed "$place"; done
echo 1 >/proc/sys/net/ipv4/ip_forward
# Pods' cgroups get a parent of their own in every hierarchy; in the first version it inherits no processors by itself.
if [ -e /sys/fs/cgroup/cgroup.controllers ]; then
  mkdir -p "/sys/fs/cgroup/$cgroup"
else
  for hierarchy in /sys/fs/cgroup/*/; do
    [ -e "$hierarchy/tasks" ] || continue
    mkdir -p "$hierarchy/$cgroup"
    for file in cpuset.cpus cpuset.mems; do
      [ ! -e "$hierarchy/$file" ] || cat "$hierarchy/$file" >"$hierarchy/$cgroup/$file"
    done
  done
fi
: >"$ready"
exec "$pause"
