//! etcd, the API server and, where asked, the controller manager and the scheduler.
use crate::{
    ask::Ask,
    audit::{self, AuditLog},
    binaries::Binaries,
    error::{TestbedError, Tried},
    node_config::DEVICE_HEALTH,
    part::Part,
    pki::{Identity, Pki},
    place::Place,
    run::run,
};
use serde_json::{Value, json};
use std::{
    ffi::OsStr,
    fs,
    net::{IpAddr, Ipv4Addr, SocketAddr, TcpStream},
    path::{Path, PathBuf},
    process::Command,
};

/// Service addresses, and the first of them: the API server as pods know it.
const SERVICES: &str = "10.96.0.0/16";
const KUBERNETES: IpAddr = IpAddr::V4(Ipv4Addr::new(10, 96, 0, 1));

/// What runs beside etcd and the API server.
#[derive(Clone, Copy, Debug, Default)]
pub struct Options {
    /// The controller manager: Jobs get pods, namespaces are emptied, owned objects are collected.
    pub controllers: bool,
    /// The scheduler: pods get nodes.
    pub scheduler: bool,
    /// A node that is silent is not ready after 8 seconds; otherwise after 50, which a busy machine may need.
    pub impatient: bool,
}

/// A running control plane. Dropping it ends its processes and removes its folder and its network.
pub struct ControlPlane {
    // In the order in which they end: who asks ends before who answers.
    _scheduler: Option<Part>,
    _controllers: Option<Part>,
    api_server: Part,
    _etcd: Part,
    pki: Pki,
    binaries: Binaries,
    ask: Ask,
    /// Where etcd listens.
    store: u16,
    server: SocketAddr,
    outside: SocketAddr,
    kubeconfig: PathBuf,
    place: Place,
}

impl ControlPlane {
    /// Starts one and waits until it answers, has its namespaces and, with controllers, the default service account.
    pub fn start(options: Options) -> Result<Self, TestbedError> {
        Self::start_with(options, Binaries::find(false)?)
    }

    pub(crate) fn start_with(options: Options, binaries: Binaries) -> Result<Self, TestbedError> {
        let place = Place::make()?;
        let folder = place.folder();
        let [client, peer, secure, controllers, scheduler] = place.network.ports([2379, 2380, 6443, 10257, 10259])?;
        let address = place.network.address();
        let server = SocketAddr::new(address, secure);
        let outside = place.network.reach(server)?;
        let pki = Pki::make(&folder.join("pki"))?;
        let admin = pki.client("admin", "admin", Some("system:masters"))?;
        let kubeconfig = write_kubeconfig(&pki, "admin", &admin, outside)?;

        let mut etcd = start_etcd(&place, &binaries, client, peer)?;
        let inside = SocketAddr::from((Ipv4Addr::LOCALHOST, client));
        let etcd_outside = place.network.reach(inside)?;
        // The API server tries its store only every few seconds, so it is started when the store listens.
        etcd.wait_until(|| is_healthy(etcd_outside))?;
        let mut api_server = start_api_server(&place, &binaries, &pki, server, client)?;
        let ask = Ask::new(outside, &pki.file("ca.crt"), &admin)?;
        api_server.wait_until(|| answers(&ask))?;

        let start = |name: &'static str, port: u16, extra: &[String]| {
            let identity = pki.client(name, &format!("system:{name}"), None)?;
            let config = write_kubeconfig(&pki, name, &identity, server)?;
            let mut command = place.network.command(binaries.path(name)?);
            command
                .arg(format!("--kubeconfig={}", config.display()))
                .args(["--leader-elect=false", "--bind-address=127.0.0.1"])
                .arg(format!("--secure-port={port}"))
                // Otherwise it makes one in /var/run.
                .arg(format!("--cert-dir={}", folder.join(name).display()))
                .args(extra);
            Part::start(name, folder, &mut command)
        };
        let mut controllers = options
            .controllers
            .then(|| start("kube-controller-manager", controllers, &controller_flags(&pki, options.impatient)))
            .transpose()?;
        let scheduler = options.scheduler.then(|| start("kube-scheduler", scheduler, &[])).transpose()?;
        if let Some(controllers) = &mut controllers {
            controllers.wait_until(|| ask.is_there("/api/v1/namespaces/default/serviceaccounts/default"))?;
        }
        Ok(Self {
            _scheduler: scheduler,
            _controllers: controllers,
            api_server,
            _etcd: etcd,
            pki,
            binaries,
            ask,
            store: client,
            server,
            outside,
            kubeconfig,
            place,
        })
    }

    /// Ends the API server in an instant, as where its machine fails, starts it again and waits until it answers.
    pub fn restart_api_server(&mut self) -> Result<(), TestbedError> {
        self.api_server.kill();
        self.api_server = start_api_server(&self.place, &self.binaries, &self.pki, self.server, self.store)?;
        self.api_server.wait_until(|| answers(&self.ask))
    }

    /// The administrator's kubeconfig file; it names its certificates by absolute paths.
    pub fn kubeconfig(&self) -> &Path {
        &self.kubeconfig
    }

    /// The kubeconfig's text (JSON, which is YAML).
    pub fn kubeconfig_text(&self) -> Result<String, TestbedError> {
        fs::read_to_string(&self.kubeconfig).tried("read", &self.kubeconfig)
    }

    /// A kubeconfig for another user, in a group or none: what it may do is up to the roles bound to it.
    ///
    /// `name` names the files and must be a plain file name, other than those of the cluster's own parts.
    pub fn kubeconfig_for(&self, name: &str, user: &str, group: Option<&str>) -> Result<PathBuf, TestbedError> {
        let name = format!("user-{name}");
        write_kubeconfig(&self.pki, &name, &self.pki.client(&name, user, group)?, self.outside)
    }

    /// kubectl as the administrator, without the person's own configuration.
    pub fn kubectl(&self) -> Result<Command, TestbedError> {
        let mut command = Command::new(self.binaries.path("kubectl")?);
        command
            .env("KUBECONFIG", &self.kubeconfig)
            .env("KUBECTL_KUBERC", "false")
            .env("KUBECACHEDIR", self.folder().join("kubectl"));
        Ok(command)
    }

    /// The status and text that the API server answers the administrator who asks for a path.
    pub fn get(&self, path: &str) -> Result<(u16, String), TestbedError> {
        self.ask.get(path)
    }

    /// A kubeconfig with a token of this service account, good for a day, as a pod of it would have.
    ///
    /// Its name in the audit log is `system:serviceaccount:NAMESPACE:NAME`. The account has to exist.
    pub fn kubeconfig_as_service_account(&self, namespace: &str, name: &str) -> Result<PathBuf, TestbedError> {
        let token = run(self.kubectl()?.args(["create", "token", name, "--duration=24h", "--namespace", namespace]))?;
        let user = json!({"token": token.trim()});
        kubeconfig_file(&self.pki, &format!("account-{namespace}-{name}"), &user, self.outside)
    }

    /// A command that runs inside the cluster's network, where pods and services have their addresses, and in the
    /// cluster's folder, so that it ends with the cluster at the latest. The program is named by an absolute path or
    /// found on `PATH`. Kubeconfigs lead to the API server from inside as well.
    pub fn command(&self, program: impl AsRef<OsStr>) -> Command {
        let mut command = self.place.network.command(program);
        command.current_dir(self.folder());
        command
    }

    /// What the API server was asked.
    pub fn audit(&self) -> AuditLog {
        AuditLog::new(self.folder().join("audit.log"))
    }

    /// The folder of logs (`PART.log`), keys and data.
    pub fn folder(&self) -> &Path {
        self.place.folder()
    }

    /// An address on this machine that leads to an address in the cluster's network: a pod's, a service's, a part's.
    pub fn reach(&self, inside: SocketAddr) -> Result<SocketAddr, TestbedError> {
        self.place.network.reach(inside)
    }

    pub(crate) fn place(&self) -> &Place {
        &self.place
    }

    pub(crate) fn pki(&self) -> &Pki {
        &self.pki
    }

    pub(crate) fn binaries(&self) -> &Binaries {
        &self.binaries
    }

    pub(crate) fn ask(&self) -> &Ask {
        &self.ask
    }

    /// A kubeconfig for a part that runs in the cluster's network.
    pub(crate) fn part_kubeconfig(&self, name: &str, identity: &Identity) -> Result<PathBuf, TestbedError> {
        write_kubeconfig(&self.pki, name, identity, self.server)
    }
}

fn start_etcd(place: &Place, binaries: &Binaries, client: u16, peer: u16) -> Result<Part, TestbedError> {
    let [client, peer] = [client, peer].map(|port| format!("http://127.0.0.1:{port}"));
    let mut command = place.network.command(binaries.path("etcd")?);
    command
        .arg(format!("--data-dir={}", place.folder().join("etcd").display()))
        .arg(format!("--listen-client-urls={client}"))
        .arg(format!("--advertise-client-urls={client}"))
        .arg(format!("--listen-peer-urls={peer}"))
        .arg(format!("--initial-advertise-peer-urls={peer}"))
        .arg(format!("--initial-cluster=default={peer}"))
        // Nothing here has to survive a power cut.
        .arg("--unsafe-no-fsync");
    Part::start("etcd", place.folder(), &mut command)
}

/// Whether etcd has a leader: it says so without a certificate.
fn is_healthy(etcd: SocketAddr) -> bool {
    let agent = ureq::Agent::config_builder().proxy(None).build().new_agent();
    TcpStream::connect(etcd).is_ok() && agent.get(format!("http://{etcd}/health")).call().is_ok()
}

/// Whether the API server is ready and has made what it begins with.
fn answers(ask: &Ask) -> bool {
    ask.is_there("/readyz") && ask.is_there("/api/v1/namespaces/default")
}

fn start_api_server(
    place: &Place,
    binaries: &Binaries,
    pki: &Pki,
    server: SocketAddr,
    etcd: u16,
) -> Result<Part, TestbedError> {
    let folder = place.folder();
    let names = ["localhost", "kubernetes", "kubernetes.default", "kubernetes.default.svc"];
    let serving = pki.server("kube-apiserver", &names, &[Ipv4Addr::LOCALHOST.into(), KUBERNETES, server.ip()])?;
    let kubelet = pki.client("apiserver-kubelet-client", "kube-apiserver-kubelet-client", Some("system:masters"))?;
    let policy = folder.join("audit-policy.json");
    fs::write(&policy, audit::POLICY).tried("write", &policy)?;
    let mut command = place.network.command(binaries.path("kube-apiserver")?);
    for (flag, file) in [
        ("client-ca-file", pki.file("ca.crt")),
        ("tls-cert-file", serving.certificate),
        ("tls-private-key-file", serving.key),
        ("kubelet-client-certificate", kubelet.certificate),
        ("kubelet-client-key", kubelet.key),
        ("kubelet-certificate-authority", pki.file("ca.crt")),
        ("service-account-key-file", pki.file("sa.pub")),
        ("service-account-signing-key-file", pki.file("sa.key")),
        ("audit-policy-file", policy),
        ("audit-log-path", folder.join("audit.log")),
        ("cert-dir", folder.join("kube-apiserver")),
    ] {
        command.arg(format!("--{flag}={}", file.display()));
    }
    command
        .arg(format!("--etcd-servers=http://127.0.0.1:{etcd}"))
        .arg(format!("--bind-address={}", server.ip()))
        .arg(format!("--secure-port={}", server.port()))
        .arg(format!("--service-cluster-ip-range={SERVICES}"))
        .args(["--authorization-mode=Node,RBAC", "--enable-admission-plugins=NodeRestriction", "--allow-privileged"])
        // Without it the field is dropped when the kubelet writes it.
        .arg(format!("--feature-gates={DEVICE_HEALTH}=true"))
        .arg("--service-account-issuer=https://kubernetes.default.svc")
        .args(["--kubelet-preferred-address-types=InternalIP,Hostname", "--shutdown-delay-duration=0"]);
    if server.ip().is_loopback() {
        // The reconciler refuses to publish a loopback address, and without a node nobody looks for one.
        command.arg("--endpoint-reconciler-type=none");
    } else {
        command.arg(format!("--advertise-address={}", server.ip()));
    }
    Ok(Part::start("kube-apiserver", folder, &mut command)?.ask_twice())
}

fn controller_flags(pki: &Pki, impatient: bool) -> Vec<String> {
    // Its own limit of 20 requests a second makes starting last four seconds.
    let mut flags = ["--use-service-account-credentials", "--kube-api-qps=200", "--kube-api-burst=400"]
        .map(ToOwned::to_owned)
        .to_vec();
    for (flag, file) in [
        ("service-account-private-key-file", "sa.key"),
        ("root-ca-file", "ca.crt"),
        ("cluster-signing-cert-file", "ca.crt"),
        ("cluster-signing-key-file", "ca.key"),
    ] {
        flags.push(format!("--{flag}={}", pki.file(file).display()));
    }
    if impatient {
        flags.extend(["--node-monitor-grace-period=8s", "--node-monitor-period=1s"].map(ToOwned::to_owned));
    }
    flags
}

/// Writes `NAME.kubeconfig` of someone with a certificate.
fn write_kubeconfig(pki: &Pki, name: &str, who: &Identity, server: SocketAddr) -> Result<PathBuf, TestbedError> {
    let user = json!({"client-certificate": who.certificate, "client-key": who.key});
    kubeconfig_file(pki, name, &user, server)
}

/// Writes `NAME.kubeconfig` beside the certificates.
fn kubeconfig_file(pki: &Pki, name: &str, user: &Value, server: SocketAddr) -> Result<PathBuf, TestbedError> {
    let config = json!({
        "apiVersion": "v1",
        "kind": "Config",
        "clusters": [{"name": "testbed", "cluster": {
            "server": format!("https://{server}"), "certificate-authority": pki.file("ca.crt"),
        }}],
        "users": [{"name": name, "user": user}],
        "contexts": [{"name": "testbed", "context": {"cluster": "testbed", "user": name}}],
        "current-context": "testbed",
    });
    let path = pki.file(&format!("{name}.kubeconfig"));
    fs::write(&path, format!("{config:#}\n")).tried("write", &path)?;
    Ok(path)
}
