//! Lets the program find libtorch: beside itself (`lib/`, as in an image), else where it was linked from.
fn main() {
    println!("cargo:rerun-if-env-changed=LIBTORCH");
    if std::env::var_os("CARGO_FEATURE_LAB").is_none() {
        return;
    }
    let linked = std::env::var("LIBTORCH").map_or_else(|_| String::new(), |folder| format!(":{folder}/lib"));
    println!("cargo:rustc-link-arg=-Wl,-rpath,$ORIGIN/lib{linked}");
}
