//! A control plane with a node: containerd, kubelet and kube-proxy, so that pods really run.
use crate::{
    binaries::Binaries,
    control_plane::{ControlPlane, Options},
    debian::Debian,
    error::{TestbedError, Tried},
    image::Image,
    node_config as config,
    part::Part,
    project::ProjectImage,
    run::run,
    store,
};
use serde_json::Value;
use std::{
    fs,
    net::IpAddr,
    os::unix::net::UnixStream,
    path::{Path, PathBuf},
    process::Command,
};

/// Makes the node's namespaces. See the file for what they are good for.
const NODE: &str = include_str!("node.sh");
/// Where containerd listens inside of them.
const SOCKET: &str = "run/containerd/containerd.sock";

/// A running cluster of one node, named [`Cluster::NODE`]. Dropping it ends pods, node and control plane.
pub struct Cluster {
    // In the order in which they end: with the namespace's first process all that is in it ends.
    holder: Part,
    _proxy: Part,
    _kubelet: Part,
    _containerd: Part,
    debian: Debian,
    plane: ControlPlane,
}

impl Cluster {
    /// The node's name.
    pub const NODE: &str = "node0";

    /// Whether pods can run on this machine: for root, where cgroups can be made.
    pub fn possible() -> Result<(), TestbedError> {
        let unable = |why: &str| Err(TestbedError::Unable(why.to_owned()));
        if !rustix::process::geteuid().is_root() {
            return unable("pods run only for root: use sudo");
        }
        // The second version has all controllers at one place, the first a folder for each.
        let groups = Path::new("/sys/fs/cgroup");
        let first = groups.join("memory");
        let place = if groups.join("cgroup.controllers").exists() { groups } else { &first };
        // Its files cannot be removed one by one: the folder is.
        let probe = tempfile::Builder::new().prefix("automl-testbed-probe-").tempdir_in(place);
        if !probe.is_ok_and(|probe| fs::remove_dir(probe.keep()).is_ok()) {
            return unable("pods need cgroups, and none can be made in /sys/fs/cgroup");
        }
        Ok(())
    }

    /// Starts everything and waits until the node is ready.
    ///
    /// Needs root, network namespaces and cgroups: where one of them is missing the error is
    /// [`TestbedError::Unable`], which a test may take as a reason to be skipped.
    pub fn start() -> Result<Self, TestbedError> {
        Self::start_with_archives(&[])
    }

    /// The same with images of this project on the node: built where they are not of today's sources, and put there
    /// once for all clusters that want the same ones, which takes far less time than [`Self::load_project`].
    pub fn start_with(images: &[ProjectImage]) -> Result<Self, TestbedError> {
        Self::possible()?;
        let archives = images.iter().map(|image| image.archive()).collect::<Result<Vec<_>, _>>()?;
        Self::start_with_archives(&archives)
    }

    /// The same with images of archives, named in their annotation `io.containerd.image.name`.
    pub fn start_with_archives(archives: &[PathBuf]) -> Result<Self, TestbedError> {
        Self::possible()?;
        let binaries = Binaries::find(true)?;
        let debian = Debian::find()?;
        let plane = ControlPlane::start_with(Options { controllers: true, scheduler: true }, binaries)?;
        if plane.place().network.name().is_none() {
            return Err(TestbedError::Unable("a network namespace cannot be made (`ip netns add`)".to_owned()));
        }
        let folder = plane.folder().join("node");
        fs::create_dir_all(&folder).tried("make", &folder)?;
        let mut holder = start_holder(&plane, &folder)?;
        let inside = Inside { holder: holder.id(), debian: &debian, folder: plane.folder() };

        let socket = PathBuf::from(format!("/proc/{}/root/{SOCKET}", holder.id()));
        let containerd = || {
            let mut containerd = start_containerd(&plane, &inside, &folder)?;
            containerd.wait_until(|| UnixStream::connect(&socket).is_ok())?;
            Ok::<_, TestbedError>(containerd)
        };
        let pause_program = plane.binaries().path("pause")?;
        let import_all = || {
            let _running = containerd()?;
            load(&inside, &pause(&pause_program))?;
            archives.iter().try_for_each(|archive| import(&inside, archive))
        };
        let tools = [debian.folder(""), pause_program.clone()];
        store::provide(&folder.join("containerd"), archives, &tools, import_all)?;
        let containerd = containerd()?;
        let address = plane.place().network.address();
        let mut kubelet = start_kubelet(&plane, &inside, &folder, address)?;
        let proxy = start_proxy(&plane, &inside, &folder)?;
        kubelet.wait_until(|| is_ready(&plane))?;
        holder.wait_until(|| true)?;
        Ok(Self { holder, _proxy: proxy, _kubelet: kubelet, _containerd: containerd, debian, plane })
    }

    /// Puts an image on the node. Pods name it with `imagePullPolicy: Never` (or `IfNotPresent` and a tag).
    pub fn load(&self, image: &Image) -> Result<(), TestbedError> {
        load(&self.inside(), image)
    }

    /// Puts the image of an archive on the node, under the name in its annotation `io.containerd.image.name`.
    pub fn load_archive(&self, archive: &Path) -> Result<(), TestbedError> {
        import(&self.inside(), archive)
    }

    /// Builds an image of this project where it is not of today's sources, and puts it on the node.
    pub fn load_project(&self, image: ProjectImage) -> Result<(), TestbedError> {
        self.load_archive(&image.archive()?)
    }

    fn inside(&self) -> Inside<'_> {
        Inside { holder: self.holder.id(), debian: &self.debian, folder: self.plane.folder() }
    }

    /// Debian's static busybox, for images of tests that need a shell.
    pub fn busybox(&self) -> Result<PathBuf, TestbedError> {
        self.debian.program("busybox")
    }

    /// A program of the unpacked packages, such as `prometheus`.
    pub fn program(&self, name: &str) -> Result<PathBuf, TestbedError> {
        self.debian.program(name)
    }

    /// The node's control plane.
    pub fn control_plane(&self) -> &ControlPlane {
        &self.plane
    }
}

/// What it takes to run a program on the node.
struct Inside<'a> {
    holder: u32,
    debian: &'a Debian,
    folder: &'a Path,
}

impl Inside<'_> {
    fn command(&self, program: &Path) -> Command {
        let mut command = Command::new("nsenter");
        let namespaces = format!("/proc/{}/ns", self.holder);
        command
            .arg(format!("--mount={namespaces}/mnt"))
            .arg(format!("--net={namespaces}/net"))
            .arg(format!("--pid={namespaces}/pid_for_children"))
            // Entering a mount namespace leads to its root.
            .arg(format!("--wdns={}", self.folder.display()))
            .arg("--")
            .arg(program)
            .envs(self.debian.environment());
        command
    }
}

fn pause(program: &Path) -> Image {
    Image {
        name: config::PAUSE.to_owned(),
        layers: vec![vec![("/pause".to_owned(), program.to_owned())]],
        entrypoint: vec!["/pause".to_owned()],
        user: "65535:65535".to_owned(),
        ..Image::default()
    }
}

fn start_holder(plane: &ControlPlane, folder: &Path) -> Result<Part, TestbedError> {
    let ready = folder.join("ready");
    let mut command = plane.place().network.command("unshare");
    command
        .args(["--mount", "--propagation=private", "--pid", "--fork", "--kill-child", "--mount-proc", "--"])
        .args(["sh", "-c", NODE, "node"])
        .arg(plane.binaries().path("pause")?)
        .arg(plane.place().name())
        .arg(&ready);
    let mut holder = Part::start("node", plane.folder(), &mut command)?.kill_at_once();
    holder.wait_until(|| ready.exists())?;
    Ok(holder)
}

fn start_containerd(plane: &ControlPlane, inside: &Inside<'_>, folder: &Path) -> Result<Part, TestbedError> {
    let network = folder.join("cni/pods.conflist");
    let path = folder.join("containerd.toml");
    write(&network, &config::network())?;
    write(&path, &config::containerd(folder, inside.debian)?)?;
    let mut command = inside.command(&inside.debian.program("containerd")?);
    Part::start("containerd", plane.folder(), command.arg("--config").arg(path))
}

fn start_kubelet(
    plane: &ControlPlane,
    inside: &Inside<'_>,
    folder: &Path,
    address: IpAddr,
) -> Result<Part, TestbedError> {
    let identity = plane.pki().client("kubelet", &format!("system:node:{}", Cluster::NODE), Some("system:nodes"))?;
    let serving = plane.pki().server("kubelet-server", &[Cluster::NODE], &[address])?;
    let kubeconfig = plane.part_kubeconfig("kubelet", &identity)?;
    let path = folder.join("kubelet.json");
    let cgroup = plane.place().name();
    write(&path, &config::kubelet(folder, address, &cgroup, &serving, &plane.pki().file("ca.crt")))?;
    let mut command = inside.command(&plane.binaries().path("kubelet")?);
    command
        .arg(format!("--config={}", path.display()))
        .arg(format!("--kubeconfig={}", kubeconfig.display()))
        .arg(format!("--root-dir={}", folder.join("kubelet").display()))
        .arg(format!("--cert-dir={}", folder.join("kubelet-pki").display()))
        .arg(format!("--hostname-override={}", Cluster::NODE))
        .arg(format!("--node-ip={address}"));
    Part::start("kubelet", plane.folder(), &mut command)
}

fn start_proxy(plane: &ControlPlane, inside: &Inside<'_>, folder: &Path) -> Result<Part, TestbedError> {
    let identity = plane.pki().client("kube-proxy", "system:kube-proxy", None)?;
    let kubeconfig = plane.part_kubeconfig("kube-proxy", &identity)?;
    let path = folder.join("kube-proxy.json");
    write(&path, &config::proxy(&kubeconfig))?;
    let mut command = inside.command(&plane.binaries().path("kube-proxy")?);
    Part::start("kube-proxy", plane.folder(), command.arg(format!("--config={}", path.display())))
}

fn load(inside: &Inside<'_>, image: &Image) -> Result<(), TestbedError> {
    let archive = tempfile::Builder::new().prefix("image-").suffix(".tar").tempfile_in(inside.folder);
    let archive = archive.tried("make an archive in", inside.folder)?;
    image.write(archive.path())?;
    import(inside, archive.path())
}

fn import(inside: &Inside<'_>, archive: &Path) -> Result<(), TestbedError> {
    let mut ctr = inside.command(&inside.debian.program("ctr")?);
    ctr.arg(format!("--address=/{SOCKET}")).args(["--namespace=k8s.io", "images", "import"]).arg(archive);
    run(&mut ctr).map(drop)
}

fn is_ready(plane: &ControlPlane) -> bool {
    let Ok((200, text)) = plane.ask().get(&format!("/api/v1/nodes/{}", Cluster::NODE)) else { return false };
    let node: Value = serde_json::from_str(&text).unwrap_or_default();
    let conditions = node.pointer("/status/conditions").and_then(Value::as_array);
    let mut conditions = conditions.into_iter().flatten();
    conditions.any(|condition| condition["type"] == "Ready" && condition["status"] == "True")
}

fn write(path: &Path, text: &str) -> Result<(), TestbedError> {
    if let Some(parent) = path.parent() {
        fs::create_dir_all(parent).tried("make", parent)?;
    }
    fs::write(path, text).tried("write", path)
}
