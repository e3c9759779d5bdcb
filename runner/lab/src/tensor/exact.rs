//! What keeps scores equal to the bit on one kind of GPU, and near to a processor's: left alone, libtorch rounds what goes
//! into a convolution to eleven bits (TF32), and takes cuDNN's algorithms that add up in another order each time.
//!
//! tch has no words for these switches, so libtorch's own functions are called by the names that its compiler gave them;
//! the linker checks that they are there.
#![allow(unsafe_code)] // Functions of another language, whose signatures no compiler compares.
use std::ffi::c_void;

unsafe extern "C" {
    /// `at::globalContext()`
    #[link_name = "_ZN2at13globalContextEv"]
    fn global_context() -> *mut c_void;
    /// `at::Context::setDeterministicCuDNN(bool)`
    #[link_name = "_ZN2at7Context21setDeterministicCuDNNEb"]
    fn set_deterministic_cudnn(context: *mut c_void, on: bool);
    /// `at::Context::setAllowTF32CuDNN(bool)`
    #[link_name = "_ZN2at7Context17setAllowTF32CuDNNEb"]
    fn set_allow_tf32_cudnn(context: *mut c_void, on: bool);
    /// `at::Context::setAllowTF32CuBLAS(bool)`, which an environment variable of some images turns on.
    #[link_name = "_ZN2at7Context18setAllowTF32CuBLASEb"]
    fn set_allow_tf32_cublas(context: *mut c_void, on: bool);
}

/// Has libtorch compute in full single precision and in a fixed order on GPUs, from now on in the whole process.
pub(super) fn compute_exactly() {
    // SAFETY: as ATen/Context.h declares them; the context lives as long as the process, and its flags are read when an
    // operation begins, of which there is none on a GPU yet.
    unsafe {
        let context = global_context();
        set_deterministic_cudnn(context, true);
        set_allow_tf32_cudnn(context, false);
        set_allow_tf32_cublas(context, false);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    unsafe extern "C" {
        /// `at::Context::deterministicCuDNN() const`
        #[link_name = "_ZNK2at7Context18deterministicCuDNNEv"]
        fn deterministic_cudnn(context: *const c_void) -> bool;
        /// `at::Context::allowTF32CuBLAS() const`
        #[link_name = "_ZNK2at7Context15allowTF32CuBLASEv"]
        fn allow_tf32_cublas(context: *const c_void) -> bool;
        /// `at::Context::allowTF32CuDNN(std::optional<Float32Op>) const`; the upper half says whether the lower is there.
        #[link_name = "_ZNK2at7Context14allowTF32CuDNNESt8optionalINS_9Float32OpEE"]
        fn allow_tf32_cudnn(context: *const c_void, operation: u64) -> bool;
    }

    /// `Float32Op::CONV`
    const CONVOLUTION: u64 = 1 << 32 | 1;

    #[test]
    fn libtorch_says_that_it_was_told() {
        // SAFETY: as above.
        let flags = || unsafe {
            let context = global_context();
            (deterministic_cudnn(context), allow_tf32_cudnn(context, CONVOLUTION), allow_tf32_cublas(context))
        };
        assert_eq!((flags().0, flags().1), (false, true), "what this is for");
        compute_exactly();
        assert_eq!(flags(), (true, false, false));
    }
}
