;; The Internet checksum (RFC 1071) over the imported memory: the same sum as `sumWords` of internet_checksum.ts, with
;; SIMD. `deno task assemble` generates internet_checksum_wasm.ts from this file.
(module
  (import "env" "memory" (memory 0))

  ;; The ones' complement sum, folded to 16 bits, of $length bytes from byte $at: little-endian words of 16 bits, an odd
  ;; last byte with a high byte of 0. Both numbers are unsigned. Reads no byte beyond, and traps if the memory ends
  ;; before.
  (func $sum (export "sum") (param $at i32) (param $length i32) (result i32)
    (local $stop i32) ;; value of $length at the end of this chunk
    (local $total i64)
    (local $a v128)
    (local $b v128)
    (local $c v128)
    (local $d v128)

    ;; A vector holds four sums of 32 bits. Each grows by two words of 16 bits per 16 bytes of memory. So chunks of
    ;; 2^19 bytes cannot overflow them, even after the four vectors were added up.
    (loop $chunk
      (local.set $stop
        (select
          (i32.sub (local.get $length) (i32.const 0x80000))
          (i32.const 0)
          (i32.gt_u (local.get $length) (i32.const 0x80000))))
      (local.set $a (v128.const i32x4 0 0 0 0))
      (local.set $b (v128.const i32x4 0 0 0 0))
      (local.set $c (v128.const i32x4 0 0 0 0))
      (local.set $d (v128.const i32x4 0 0 0 0))

      ;; Four vectors, so that no addition waits for the previous one.
      (block $done
        (loop $next
          (br_if $done (i32.lt_u (i32.sub (local.get $length) (local.get $stop)) (i32.const 64)))
          (local.set $a
            (i32x4.add
              (local.get $a)
              (i32x4.extadd_pairwise_i16x8_u (v128.load align=1 (local.get $at)))))
          (local.set $b
            (i32x4.add
              (local.get $b)
              (i32x4.extadd_pairwise_i16x8_u (v128.load offset=16 align=1 (local.get $at)))))
          (local.set $c
            (i32x4.add
              (local.get $c)
              (i32x4.extadd_pairwise_i16x8_u (v128.load offset=32 align=1 (local.get $at)))))
          (local.set $d
            (i32x4.add
              (local.get $d)
              (i32x4.extadd_pairwise_i16x8_u (v128.load offset=48 align=1 (local.get $at)))))
          (local.set $at (i32.add (local.get $at) (i32.const 64)))
          (local.set $length (i32.sub (local.get $length) (i32.const 64)))
          (br $next)))

      (block $done
        (loop $next
          (br_if $done (i32.lt_u (i32.sub (local.get $length) (local.get $stop)) (i32.const 16)))
          (local.set $a
            (i32x4.add
              (local.get $a)
              (i32x4.extadd_pairwise_i16x8_u (v128.load align=1 (local.get $at)))))
          (local.set $at (i32.add (local.get $at) (i32.const 16)))
          (local.set $length (i32.sub (local.get $length) (i32.const 16)))
          (br $next)))

      ;; The sums of the vector's lanes, added with 64 bits.
      (local.set $a
        (i32x4.add
          (i32x4.add (local.get $a) (local.get $b))
          (i32x4.add (local.get $c) (local.get $d))))
      (local.set $a
        (i64x2.add
          (i64x2.extend_low_i32x4_u (local.get $a))
          (i64x2.extend_high_i32x4_u (local.get $a))))
      (local.set $total
        (i64.add
          (local.get $total)
          (i64.add
            (i64x2.extract_lane 0 (local.get $a))
            (i64x2.extract_lane 1 (local.get $a)))))
      (br_if $chunk (local.get $stop)))

    ;; The last 0 to 15 bytes. A word of 32 bits is added whole: the fold below adds up its two halves.
    (block $done
      (loop $next
        (br_if $done (i32.lt_u (local.get $length) (i32.const 4)))
        (local.set $total (i64.add (local.get $total) (i64.load32_u align=1 (local.get $at))))
        (local.set $at (i32.add (local.get $at) (i32.const 4)))
        (local.set $length (i32.sub (local.get $length) (i32.const 4)))
        (br $next)))
    (if (i32.and (local.get $length) (i32.const 2))
      (then
        (local.set $total (i64.add (local.get $total) (i64.load16_u align=1 (local.get $at))))
        (local.set $at (i32.add (local.get $at) (i32.const 2)))))
    (if (i32.and (local.get $length) (i32.const 1))
      (then
        (local.set $total (i64.add (local.get $total) (i64.load8_u (local.get $at))))))

    ;; Adding a number to itself with its halves swapped leaves their ones' complement sum in the upper half: the lower
    ;; halves' sum is the same, and its carry is the one to add at the low end.
    (local.set $length
      (i32.wrap_i64
        (i64.shr_u
          (i64.add (local.get $total) (i64.rotl (local.get $total) (i64.const 32)))
          (i64.const 32))))
    (i32.shr_u
      (i32.add (local.get $length) (i32.rotl (local.get $length) (i32.const 16)))
      (i32.const 16)))

  ;; Copies $length bytes from byte $from to byte $to, which may overlap, and returns their sum.
  (func (export "copy") (param $from i32) (param $to i32) (param $length i32) (result i32)
    (memory.copy (local.get $to) (local.get $from) (local.get $length))
    (call $sum (local.get $to) (local.get $length))))
