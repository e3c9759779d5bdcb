//! Which device to use. One program serves machines with and without a GPU: it links libtorch's processor part only, and
//! opens the CUDA part, if there is one beside it, before the first question about CUDA (libtorch remembers the answer) and
//! before the first gradient (libtorch then counts the devices that have any).
//!
//! The CUDA path needs a GPU to run; without one, only its refusals can be tested.
#![allow(unsafe_code)] // Opening a library runs its initialisers, which no check of ours can vouch for.
use std::path::PathBuf;
use std::sync::OnceLock;

use automl_contract::spec::DeviceName;
use libloading::os::unix::{Library, RTLD_GLOBAL, RTLD_NOW};
use tch::{Cuda, Device, Kind, Tensor};

use super::exact;
use crate::LabError;

const CPU_LIBRARY: &str = "libtorch_cpu.so";
const CUDA_LIBRARY: &str = "libtorch_cuda.so";

/// Why CUDA cannot be used.
#[derive(Clone, Debug)]
enum Absent {
    /// There is none, which is no fault.
    Missing(String),
    /// There is a library that does not load.
    Broken(PathBuf, String),
}

/// The device a specification asks for.
pub(crate) fn choose(name: DeviceName) -> Result<Device, LabError> {
    if name == DeviceName::Cpu {
        return Ok(Device::Cpu);
    }
    match cuda() {
        Ok(()) => Ok(Device::Cuda(0)),
        Err(_) if name == DeviceName::Auto => Ok(Device::Cpu),
        Err(Absent::Missing(problem)) => Err(LabError::NoCuda { problem }),
        Err(Absent::Broken(path, problem)) => Err(LabError::CudaLibrary { path, problem }),
    }
}

/// Whether a device refuses everything: after a fault of its own, or of a gene's making, a GPU does nothing more for the
/// process that met it.
pub(crate) fn lost(device: Device) -> bool {
    let answers = || Tensor::f_ones([1], (Kind::Float, device)).and_then(|one| one.f_double_value(&[0]));
    device != Device::Cpu && answers().is_err()
}

/// Whether CUDA can be used; found out once.
fn cuda() -> Result<(), Absent> {
    static ANSWER: OnceLock<Result<(), Absent>> = OnceLock::new();
    ANSWER.get_or_init(load).clone()
}

fn load() -> Result<(), Absent> {
    let missing = |problem: &str| Absent::Missing(problem.to_owned());
    let cpu = loaded(CPU_LIBRARY).ok_or_else(|| missing("the loaded libtorch cannot be found in /proc/self/maps"))?;
    let path = cpu.with_file_name(CUDA_LIBRARY);
    if !path.exists() {
        return Err(Absent::Missing(format!("this libtorch has no CUDA part ({} does not exist)", path.display())));
    }
    // SAFETY: it is the library that belongs to the libtorch in use: same folder, made to be loaded this way.
    let library = unsafe { Library::open(Some(&path), RTLD_NOW | RTLD_GLOBAL) };
    let library = library.map_err(|error| Absent::Broken(path, error.to_string()))?;
    // libtorch keeps pointers into it.
    std::mem::forget(library);
    if !Cuda::is_available() {
        return Err(missing("no usable NVIDIA GPU or driver was found"));
    }
    exact::compute_exactly();
    Ok(())
}

/// Where a library of this process lies, links resolved.
fn loaded(name: &str) -> Option<PathBuf> {
    let maps = std::fs::read_to_string("/proc/self/maps").ok()?;
    let path = maps.lines().find_map(|line| {
        let path = line.split_once('/').map(|(_, path)| PathBuf::from(format!("/{path}")))?;
        (path.file_name()? == name).then_some(path)
    })?;
    std::fs::canonicalize(path).ok()
}
