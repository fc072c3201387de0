//! The promise that is broken before there is a configuration: it is written into the component's
//! bytes by whoever loads it.

/// What the name stands behind, and room for it.
#[used]
static MARK: [u8; 48] = *b"beamlet-broken-mark:                            ";

/// The name; empty in a component as it was built.
pub(crate) fn broken() -> String {
    // SAFETY: it is a static, and initialised. A plain read would be folded into a constant.
    let mark = unsafe { std::ptr::read_volatile(&raw const MARK) };
    let name = mark.split(|byte| *byte == b':').next_back().unwrap_or_default();
    String::from_utf8_lossy(name).trim().to_owned()
}
