//! The files that containerd, the pod network, kubelet and kube-proxy are started with.
use crate::{debian::Debian, error::TestbedError, pki::Identity};
use serde_json::json;
use std::{net::IpAddr, path::Path};

/// The image that holds a pod's namespaces.
pub(crate) const PAUSE: &str = "automl.test/pause:dev";

/// What lets a kubelet say in a pod's status whether its devices are healthy; as of 1.35 it is off unless somebody asks.
pub(crate) const DEVICE_HEALTH: &str = "ResourceHealthStatus";

/// containerd's: its lasting files in our folder, the rest in the node's own `/run`.
pub(crate) fn containerd(folder: &Path, debian: &Debian) -> Result<String, TestbedError> {
    let folder = folder.display();
    let plugins = debian.folder("usr/lib/cni");
    let runc = debian.program("runc")?;
    let (plugins, runc) = (plugins.display(), runc.display());
    Ok(format!(
        r#"version = 2
root = "{folder}/containerd"
state = "/run/containerd"
[plugins."io.containerd.internal.v1.opt"]
path = "{folder}/opt"
[plugins."io.containerd.grpc.v1.cri"]
sandbox_image = "{PAUSE}"
stream_server_address = "127.0.0.1"
# The kubelet asks for scores that only a root with all capabilities may set.
restrict_oom_score_adj = true
[plugins."io.containerd.grpc.v1.cri".containerd.runtimes.runc]
runtime_type = "io.containerd.runc.v2"
[plugins."io.containerd.grpc.v1.cri".containerd.runtimes.runc.options]
BinaryName = "{runc}"
SystemdCgroup = false
[plugins."io.containerd.grpc.v1.cri".cni]
bin_dir = "{plugins}"
conf_dir = "{folder}/cni"
"#
    ))
}

/// The pod network's: a bridge for the node's own pods, with routes to pods, services and nodes and to nowhere else.
pub(crate) fn network(pods: &str) -> String {
    let routes = ["10.96.0.0/16", "10.244.0.0/16", "10.200.0.0/24"].map(|network| json!({"dst": network}));
    json!({
        "cniVersion": "0.4.0",
        "name": "pods",
        "plugins": [{
            "type": "bridge", "bridge": "pods0", "isGateway": true, "ipMasq": false, "hairpinMode": true,
            "ipam": {"type": "host-local", "ranges": [[{"subnet": pods}]], "routes": routes},
        }],
    })
    .to_string()
}

/// The kubelet's.
pub(crate) fn kubelet(folder: &Path, address: IpAddr, cgroup: &str, serving: &Identity, authority: &Path) -> String {
    json!({
        "apiVersion": "kubelet.config.k8s.io/v1beta1",
        "kind": "KubeletConfiguration",
        "address": address,
        "authentication": {
            "anonymous": {"enabled": false}, "webhook": {"enabled": true}, "x509": {"clientCAFile": authority},
        },
        "authorization": {"mode": "Webhook"},
        "tlsCertFile": serving.certificate,
        "tlsPrivateKeyFile": serving.key,
        "cgroupDriver": "cgroupfs",
        "cgroupRoot": format!("/{cgroup}"),
        "containerRuntimeEndpoint": "unix:///run/containerd/containerd.sock",
        "podLogsDir": folder.join("pod-logs"),
        "volumePluginDir": folder.join("volume-plugins"),
        "resolvConf": "",
        "nodeStatusUpdateFrequency": "2s",
        "featureGates": {DEVICE_HEALTH: true},
        // The machine is the tester's: its swap, disk and memory are no reason to evict anything, and its cgroups and
        // firewall are what they are.
        "failSwapOn": false,
        "failCgroupV1": false,
        "makeIPTablesUtilChains": false,
        "evictionHard": {
            "memory.available": "0%", "nodefs.available": "0%", "nodefs.inodesFree": "0%", "imagefs.available": "0%",
        },
        "imageGCHighThresholdPercent": 100,
    })
    .to_string()
}

/// kube-proxy's: it sets what is the namespace's own and leaves the machine's connection tracking alone.
pub(crate) fn proxy(node: &str, kubeconfig: &Path) -> String {
    json!({
        "apiVersion": "kubeproxy.config.k8s.io/v1alpha1",
        "kind": "KubeProxyConfiguration",
        "mode": "nftables",
        "clientConnection": {"kubeconfig": kubeconfig},
        "hostnameOverride": node,
        "clusterCIDR": "10.244.0.0/16",
        "conntrack": {"maxPerCore": 0, "min": 0, "tcpEstablishedTimeout": "0s", "tcpCloseWaitTimeout": "0s"},
        "healthzBindAddress": "127.0.0.1:10256",
        "metricsBindAddress": "127.0.0.1:10249",
    })
    .to_string()
}
