//! NEON of 64-bit ARM: 128-bit registers, 32 of them.

use super::backend::{token, vectors};
use std::arch::aarch64::*;

token!(
    /// Proof of NEON.
    Neon,
    enable = "neon",
    detected = std::arch::is_aarch64_feature_detected!("neon")
);

// 24 accumulators leave eight registers for the operands. `max` and `min` are compare and select, since the
// instructions of that name give NaN where either side is NaN.
vectors! {
    Neon, f32: [float32x4_t; 4], uint32x4_t, uint32x4_t, tile (12, 2);
    half(neon) -> Neon = neon;
    splat(x) = vdupq_n_f32(x);
    load(from) = vld1q_f32(from);
    store(to, x) = vst1q_f32(to, x);
    transpose(rows) = transpose_f32(rows);
    unary {
        sqrt(a) = vsqrtq_f32(a);
        neg(a) = vnegq_f32(a);
        abs(a) = vabsq_f32(a);
    }
    binary {
        add(a, b) = vaddq_f32(a, b);
        sub(a, b) = vsubq_f32(a, b);
        mul(a, b) = vmulq_f32(a, b);
        div(a, b) = vdivq_f32(a, b);
        max(a, b) = vbslq_f32(vcgtq_f32(a, b), a, b);
        min(a, b) = vbslq_f32(vcltq_f32(a, b), a, b);
    }
    ternary {
        fma(a, b, c) = vfmaq_f32(c, a, b);
        fnma(a, b, c) = vfmsq_f32(c, a, b);
    }
    compare {
        lt(a, b) = vcltq_f32(a, b);
        le(a, b) = vcleq_f32(a, b);
        eq(a, b) = vceqq_f32(a, b);
    }
    any(mask) = vmaxvq_u32(mask) != 0;
    select(mask, yes, no) = vbslq_f32(mask, yes, no);
    to_bits(a) = vreinterpretq_u32_f32(a);
    from_bits(a) = vreinterpretq_f32_u32(a);
    splat_bits(x) = vdupq_n_u32(x as u32);
    bits {
        add_bits(a, b) = vaddq_u32(a, b);
        sub_bits(a, b) = vsubq_u32(a, b);
        and_bits(a, b) = vandq_u32(a, b);
        or_bits(a, b) = vorrq_u32(a, b);
    }
    shift {
        shl_bits(a, n) = vshlq_u32(a, vdupq_n_s32(n as i32));
        shr_bits(a, n) = vshlq_u32(a, vdupq_n_s32(-(n as i32)));
    }
}

vectors! {
    Neon, f64: [float64x2_t; 2], uint64x2_t, uint64x2_t, tile (12, 2);
    half(neon) -> Neon = neon;
    splat(x) = vdupq_n_f64(x);
    load(from) = vld1q_f64(from);
    store(to, x) = vst1q_f64(to, x);
    transpose(rows) = transpose_f64(rows);
    unary {
        sqrt(a) = vsqrtq_f64(a);
        neg(a) = vnegq_f64(a);
        abs(a) = vabsq_f64(a);
    }
    binary {
        add(a, b) = vaddq_f64(a, b);
        sub(a, b) = vsubq_f64(a, b);
        mul(a, b) = vmulq_f64(a, b);
        div(a, b) = vdivq_f64(a, b);
        max(a, b) = vbslq_f64(vcgtq_f64(a, b), a, b);
        min(a, b) = vbslq_f64(vcltq_f64(a, b), a, b);
    }
    ternary {
        fma(a, b, c) = vfmaq_f64(c, a, b);
        fnma(a, b, c) = vfmsq_f64(c, a, b);
    }
    compare {
        lt(a, b) = vcltq_f64(a, b);
        le(a, b) = vcleq_f64(a, b);
        eq(a, b) = vceqq_f64(a, b);
    }
    any(mask) = vmaxvq_u32(vreinterpretq_u32_u64(mask)) != 0;
    select(mask, yes, no) = vbslq_f64(mask, yes, no);
    to_bits(a) = vreinterpretq_u64_f64(a);
    from_bits(a) = vreinterpretq_f64_u64(a);
    splat_bits(x) = vdupq_n_u64(x);
    bits {
        add_bits(a, b) = vaddq_u64(a, b);
        sub_bits(a, b) = vsubq_u64(a, b);
        and_bits(a, b) = vandq_u64(a, b);
        or_bits(a, b) = vorrq_u64(a, b);
    }
    shift {
        shl_bits(a, n) = vshlq_u64(a, vdupq_n_s64(i64::from(n)));
        shr_bits(a, n) = vshlq_u64(a, vdupq_n_s64(-i64::from(n)));
    }
}

#[inline]
#[target_feature(enable = "neon")]
fn transpose_f32(rows: &mut [float32x4_t]) {
    let rows: &mut [float32x4_t; 4] = rows.try_into().expect("as many rows as lanes");
    let pairs = [
        vtrn1q_f32(rows[0], rows[1]),
        vtrn2q_f32(rows[0], rows[1]),
        vtrn1q_f32(rows[2], rows[3]),
        vtrn2q_f32(rows[2], rows[3]),
    ];
    let [a, b, c, d] = pairs.map(|x| vreinterpretq_f64_f32(x));
    let quads = [vtrn1q_f64(a, c), vtrn1q_f64(b, d), vtrn2q_f64(a, c), vtrn2q_f64(b, d)];
    *rows = quads.map(|x| vreinterpretq_f32_f64(x));
}

#[inline]
#[target_feature(enable = "neon")]
fn transpose_f64(rows: &mut [float64x2_t]) {
    let rows: &mut [float64x2_t; 2] = rows.try_into().expect("as many rows as lanes");
    *rows = [vtrn1q_f64(rows[0], rows[1]), vtrn2q_f64(rows[0], rows[1])];
}
