//! The mask of a client's payload: byte `i` is XORed with byte `i % 4` of it.

/// Masks or unmasks `bytes`, in words of 8.
pub(super) fn apply(mask: [u8; 4], bytes: &mut [u8]) {
    let [a, b, c, d] = mask;
    let wide = u64::from_ne_bytes([a, b, c, d, a, b, c, d]);
    let (words, rest) = bytes.as_chunks_mut();
    for word in words {
        *word = (u64::from_ne_bytes(*word) ^ wide).to_ne_bytes();
    }
    for (byte, mask) in rest.iter_mut().zip(mask.into_iter().cycle()) {
        *byte ^= mask;
    }
}

/// The mask for the payload after its first `len` bytes.
pub(super) fn after(mut mask: [u8; 4], len: usize) -> [u8; 4] {
    mask.rotate_left(len % 4);
    mask
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn a_payload_masked_in_two_parts_is_masked_byte_by_byte(
            mask: [u8; 4],
            payload in prop::collection::vec(any::<u8>(), 0..60),
            at in 0_usize..60,
        ) {
            let expected: Vec<_> =
                payload.iter().enumerate().map(|(i, byte)| byte ^ mask[i % 4]).collect();
            let at = at.min(payload.len());
            let mut masked = payload;
            let (first, second) = masked.split_at_mut(at);
            apply(mask, first);
            apply(after(mask, at), second);
            prop_assert_eq!(masked, expected);
        }
    }
}
