# Removes what a cluster leaves: processes, network namespaces, cgroups, folder. It outlives the process that started the
# cluster, because a test that is killed, or keeps its cluster in a static, drops nothing: it waits for the end of its
# standard input, which comes in every case.
folder=$1 namespace=$2 cgroup=$3
trap '' INT TERM HUP
while read -r _; do :; done

ours() { # every process that works in our folder
  for link in /proc/[0-9]*/cwd; do
    case $(readlink "$link" 2>/dev/null) in
      "$folder" | "$folder"/*) link=${link#/proc/} && echo "${link%/cwd}" ;;
    esac
  done
}
tries=100
while pids=$(ours) && [ -n "$pids" ] && [ $((tries -= 1)) -gt 0 ]; do
  kill -9 $pids 2>/dev/null
  sleep 0.1
done
if [ -n "$namespace" ]; then
  # Those of further nodes begin with its name.
  for each in "/run/netns/$namespace"*; do ip netns del "${each##*/}"; done
fi
if [ -n "$cgroup" ]; then
  tries=50
  # find is displeased when folders of another cluster go away under it, but finds ours all the same.
  while found=$(find /sys/fs/cgroup -depth -type d -path "*/$cgroup*" 2>/dev/null || :) && [ -n "$found" ] &&
    [ $((tries -= 1)) -gt 0 ]; do
    printf '%s\n' "$found" | while read -r each; do rmdir "$each" 2>/dev/null; done
    sleep 0.1
  done
fi
rm -rf "$folder"
