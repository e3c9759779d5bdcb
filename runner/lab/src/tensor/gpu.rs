//! Which GPU it is and which libraries compute on it: scores are equal to the bit where these are the same.
//!
//! The name is asked of the driver, which libtorch has loaded: libtorch's own answer is a structure that no two releases
//! lay out alike.
#![allow(unsafe_code)] // The driver's functions, looked up by name.
use std::ffi::{CStr, c_char, c_int, c_uint};

use libloading::os::unix::{Library, RTLD_NOW};
use tch::Device;
use tch::utils::{version_cudart, version_cudnn};

const DRIVER: &str = "libcuda.so.1";
/// Names have some thirty characters.
const LONGEST: usize = 256;

/// What computes on a GPU.
pub(crate) struct Gpu {
    /// As `NVIDIA H100 80GB HBM3`; a slice of one has its size in its name.
    pub name: String,
    /// As `CUDA 13.0, cuDNN 9.15.1`.
    pub libraries: String,
}

impl Gpu {
    /// Of a device that was chosen; `None` for a processor.
    pub(crate) fn of(device: Device) -> Option<Gpu> {
        let Device::Cuda(index) = device else { return None };
        let name = name(index).unwrap_or_else(|| "a GPU without a name".to_owned());
        Some(Gpu { name, libraries: libraries(version_cudart(), version_cudnn()) })
    }
}

fn libraries(cuda: i64, cudnn: i64) -> String {
    let (major, rest) = (cudnn / 10_000, cudnn % 10_000);
    format!("CUDA {}.{}, cuDNN {major}.{}.{}", cuda / 1000, cuda % 1000 / 10, rest / 100, rest % 100)
}

/// What the driver calls a GPU.
fn name(index: usize) -> Option<String> {
    type Initialise = unsafe extern "C" fn(c_uint) -> c_int;
    type Get = unsafe extern "C" fn(*mut c_int, c_int) -> c_int;
    type GetName = unsafe extern "C" fn(*mut c_char, c_int, c_int) -> c_int;
    let mut device = 0;
    let mut name: [c_char; LONGEST] = [0; LONGEST];
    // SAFETY: as cuda.h declares them; 0 is success, and a name ends within the length that is given.
    unsafe {
        let driver = Library::open(Some(DRIVER), RTLD_NOW).ok()?;
        let initialised = driver.get::<Initialise>(b"cuInit\0").ok()?(0);
        let found = driver.get::<Get>(b"cuDeviceGet\0").ok()?(&raw mut device, index as c_int);
        let named = driver.get::<GetName>(b"cuDeviceGetName\0").ok()?(name.as_mut_ptr(), LONGEST as c_int, device);
        if (initialised, found, named) != (0, 0, 0) {
            return None;
        }
        CStr::from_ptr(name.as_ptr()).to_str().ok().map(str::to_owned)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_are_written_as_people_know_them() {
        assert_eq!(libraries(13_000, 91_501), "CUDA 13.0, cuDNN 9.15.1");
        assert_eq!(libraries(12_080, 90_701), "CUDA 12.8, cuDNN 9.7.1");
    }

    #[test]
    fn a_processor_is_no_gpu() {
        assert!(Gpu::of(Device::Cpu).is_none());
    }
}
