// SPDX-License-Identifier: Apache-2.0
// Montgomery arithmetic on 16 limbs of 64 bits with MULX, ADCX and ADOX: R = 2^1024, the same results as
// field/montgomery.hpp limb for limb. Products go in blocks of 8 x 8 limbs, whose running sum stays in r8 .. r15;
// the two carry chains of a row run side by side. No branch, and no address depends on a value: the instructions
// are a straight line. (performance-design 4.2)
//
// T is a field of 32 limbs on the stack, then 8 limbs of quotient.

#ifdef __CET__
#include <cet.h>
#else
#define _CET_ENDBR
#endif

#define T 0
#define QUOTIENT 256
#define CARRY 320
#define OUT 328
#define FRAME 336

// One row: (s0 .. s7) += rdx * (8 limbs at base). The lowest limb is left in s0, the highest in rbx.
.macro ROW base, at, s0, s1, s2, s3, s4, s5, s6, s7
  xorl %eax, %eax                         // clears both carries
  mulx (\at)(\base), %rax, %rbx
  adcx %rax, \s0
  adox %rbx, \s1
  mulx (\at+8)(\base), %rax, %rbx
  adcx %rax, \s1
  adox %rbx, \s2
  mulx (\at+16)(\base), %rax, %rbx
  adcx %rax, \s2
  adox %rbx, \s3
  mulx (\at+24)(\base), %rax, %rbx
  adcx %rax, \s3
  adox %rbx, \s4
  mulx (\at+32)(\base), %rax, %rbx
  adcx %rax, \s4
  adox %rbx, \s5
  mulx (\at+40)(\base), %rax, %rbx
  adcx %rax, \s5
  adox %rbx, \s6
  mulx (\at+48)(\base), %rax, %rbx
  adcx %rax, \s6
  adox %rbx, \s7
  mulx (\at+56)(\base), %rax, %rbx
  adcx %rax, \s7
  movl $0, %eax
  adcx %rax, %rbx
  adox %rax, %rbx                         // never carries: the row is below 2^576
.endm

// A row whose multiplier stands at (by)(\factor); its lowest limb goes to T[to].
.macro PRODUCT_ROW base, at, factor, by, to, s0, s1, s2, s3, s4, s5, s6, s7
  movq (\by)(\factor), %rdx
  ROW \base, \at, \s0, \s1, \s2, \s3, \s4, \s5, \s6, \s7
  movq \s0, (T+8*(\to))(%rsp)
  movq %rbx, \s0
.endm

// (r8 .. r15) + 8 limbs times 8 limbs: the low half to T[to ..], the high half stays in r8 .. r15.
.macro BLOCK base, at, factor, by, to
  PRODUCT_ROW \base, \at, \factor, \by,    \to,   %r8, %r9, %r10, %r11, %r12, %r13, %r14, %r15
  PRODUCT_ROW \base, \at, \factor, \by+8,  \to+1, %r9, %r10, %r11, %r12, %r13, %r14, %r15, %r8
  PRODUCT_ROW \base, \at, \factor, \by+16, \to+2, %r10, %r11, %r12, %r13, %r14, %r15, %r8, %r9
  PRODUCT_ROW \base, \at, \factor, \by+24, \to+3, %r11, %r12, %r13, %r14, %r15, %r8, %r9, %r10
  PRODUCT_ROW \base, \at, \factor, \by+32, \to+4, %r12, %r13, %r14, %r15, %r8, %r9, %r10, %r11
  PRODUCT_ROW \base, \at, \factor, \by+40, \to+5, %r13, %r14, %r15, %r8, %r9, %r10, %r11, %r12
  PRODUCT_ROW \base, \at, \factor, \by+48, \to+6, %r14, %r15, %r8, %r9, %r10, %r11, %r12, %r13
  PRODUCT_ROW \base, \at, \factor, \by+56, \to+7, %r15, %r8, %r9, %r10, %r11, %r12, %r13, %r14
.endm

// One quotient digit, -s0 / m mod 2^64; the row makes s0 zero.
.macro QUOTIENT_ROW digit, s0, s1, s2, s3, s4, s5, s6, s7
  movq \s0, %rdx
  imulq %rdi, %rdx
  movq %rdx, (QUOTIENT+8*(\digit))(%rsp)
  ROW %rbp, 0, \s0, \s1, \s2, \s3, \s4, \s5, \s6, \s7
  movq %rbx, \s0
.endm

.macro LOAD from
  movq (T+8*(\from))(%rsp), %r8
  movq (T+8*(\from)+8)(%rsp), %r9
  movq (T+8*(\from)+16)(%rsp), %r10
  movq (T+8*(\from)+24)(%rsp), %r11
  movq (T+8*(\from)+32)(%rsp), %r12
  movq (T+8*(\from)+40)(%rsp), %r13
  movq (T+8*(\from)+48)(%rsp), %r14
  movq (T+8*(\from)+56)(%rsp), %r15
.endm

.macro STORE to
  movq %r8, (T+8*(\to))(%rsp)
  movq %r9, (T+8*(\to)+8)(%rsp)
  movq %r10, (T+8*(\to)+16)(%rsp)
  movq %r11, (T+8*(\to)+24)(%rsp)
  movq %r12, (T+8*(\to)+32)(%rsp)
  movq %r13, (T+8*(\to)+40)(%rsp)
  movq %r14, (T+8*(\to)+48)(%rsp)
  movq %r15, (T+8*(\to)+56)(%rsp)
.endm

// (r8 .. r15) += T[from ..] with the carry that stands in CF.
.macro ADD_WITH_CARRY from
  adcq (T+8*(\from))(%rsp), %r8
  adcq (T+8*(\from)+8)(%rsp), %r9
  adcq (T+8*(\from)+16)(%rsp), %r10
  adcq (T+8*(\from)+24)(%rsp), %r11
  adcq (T+8*(\from)+32)(%rsp), %r12
  adcq (T+8*(\from)+40)(%rsp), %r13
  adcq (T+8*(\from)+48)(%rsp), %r14
  adcq (T+8*(\from)+56)(%rsp), %r15
.endm

// Adds a multiple of m that makes the 8 limbs at T[low] zero: then T[low+8 .. low+15] and r8 .. r15 hold the
// sum divided by 2^512, and CF what stands above. T[low+16 ..] is read, not written.
.macro REDUCE low
  LOAD \low
  QUOTIENT_ROW 0, %r8, %r9, %r10, %r11, %r12, %r13, %r14, %r15
  QUOTIENT_ROW 1, %r9, %r10, %r11, %r12, %r13, %r14, %r15, %r8
  QUOTIENT_ROW 2, %r10, %r11, %r12, %r13, %r14, %r15, %r8, %r9
  QUOTIENT_ROW 3, %r11, %r12, %r13, %r14, %r15, %r8, %r9, %r10
  QUOTIENT_ROW 4, %r12, %r13, %r14, %r15, %r8, %r9, %r10, %r11
  QUOTIENT_ROW 5, %r13, %r14, %r15, %r8, %r9, %r10, %r11, %r12
  QUOTIENT_ROW 6, %r14, %r15, %r8, %r9, %r10, %r11, %r12, %r13
  QUOTIENT_ROW 7, %r15, %r8, %r9, %r10, %r11, %r12, %r13, %r14
  xorl %eax, %eax
  ADD_WITH_CARRY (\low+8)
  sbbq %rax, %rax
  movq %rax, CARRY(%rsp)                  // all ones for a carry
  BLOCK %rbp, 64, %rsp, QUOTIENT, (\low+8)
  movq CARRY(%rsp), %rax
  addq %rax, %rax                         // all ones: CF
  ADD_WITH_CARRY (\low+16)
.endm

.macro ENTER
  pushq %rbx
  pushq %rbp
  pushq %r12
  pushq %r13
  pushq %r14
  pushq %r15
  subq $FRAME, %rsp
.endm
.macro LEAVE_AND_RETURN
  addq $FRAME, %rsp
  popq %r15
  popq %r14
  popq %r13
  popq %r12
  popq %rbp
  popq %rbx
  ret
.endm

// out = the number of 17 limbs whose first 16 stand at T[\from ..] and whose last is 0 or 1 in rbx, reduced once
// by the modulus at \modulus; it was below twice the modulus. The out pointer is rdi.
.macro WRITE_REDUCED from, modulus
  movq (T+8*(\from))(%rsp), %rax
  subq (\modulus), %rax
  movq %rax, (%rdi)
  .set at, 8
  .rept 15
  movq (T+8*(\from)+at)(%rsp), %rax
  sbbq at(\modulus), %rax
  movq %rax, at(%rdi)
  .set at, at+8
  .endr
  sbbq $0, %rbx
  sbbq %rbx, %rbx                         // all ones when it was below the modulus already
  testq %rbx, %rbx
  .set at, 0
  .rept 16
  movq at(%rdi), %rax
  cmovnzq (T+8*(\from)+at)(%rsp), %rax
  movq %rax, at(%rdi)
  .set at, at+8
  .endr
.endm

  .text
// void regroup_adx_product16(out, a, b, m, minus_inverse): a b < 2^1024 m, m < 2^1024 - 2^514.
  .globl regroup_adx_product16
  .hidden regroup_adx_product16
  .type regroup_adx_product16, @function
  .p2align 6
regroup_adx_product16:
  _CET_ENDBR
  ENTER
  movq %rdi, OUT(%rsp)
  movq %r8, %rdi                          // -1/m
  movq %rcx, %rbp                         // m
  movq %rdx, %rcx                         // b, as rdx is every row's multiplier
  xorl %r8d, %r8d
  xorl %r9d, %r9d
  xorl %r10d, %r10d
  xorl %r11d, %r11d
  xorl %r12d, %r12d
  xorl %r13d, %r13d
  xorl %r14d, %r14d
  xorl %r15d, %r15d
  BLOCK %rsi, 0, %rcx, 0, 0               // T = a times the low half of b
  BLOCK %rsi, 64, %rcx, 0, 8
  STORE 16
  REDUCE 0
  movl $0, %eax
  adcq $0, %rax
  movq %rax, (T+192)(%rsp)                // T[24]: 0 or 1
  STORE 16
  LOAD 8
  BLOCK %rsi, 0, %rcx, 64, 8              // plus a times the high half
  xorl %eax, %eax
  ADD_WITH_CARRY 16
  movl $0, %eax
  adcq %rax, (T+192)(%rsp)                // T[24]: 0 .. 2
  BLOCK %rsi, 64, %rcx, 64, 16
  addq (T+192)(%rsp), %r8
  adcq $0, %r9
  adcq $0, %r10
  adcq $0, %r11
  adcq $0, %r12
  adcq $0, %r13
  adcq $0, %r14
  adcq $0, %r15                           // no carry: the sum is below 2^512 m + 2^1025
  STORE 24
  REDUCE 8
  movl $0, %ebx
  adcq $0, %rbx
  STORE 24
  movq OUT(%rsp), %rdi
  WRITE_REDUCED 16, %rbp
  LEAVE_AND_RETURN
  .size regroup_adx_product16, .-regroup_adx_product16

// void regroup_adx_sum16(out, a, b, m): a, b < m.
  .globl regroup_adx_sum16
  .hidden regroup_adx_sum16
  .type regroup_adx_sum16, @function
  .p2align 6
regroup_adx_sum16:
  _CET_ENDBR
  ENTER
  xorl %ebx, %ebx
  .set at, 0
  .rept 16
  movq at(%rsi), %rax
  adcq at(%rdx), %rax
  movq %rax, (T+at)(%rsp)
  .set at, at+8
  .endr
  adcq $0, %rbx
  WRITE_REDUCED 0, %rcx
  LEAVE_AND_RETURN
  .size regroup_adx_sum16, .-regroup_adx_sum16

// void regroup_adx_difference16(out, a, b, m): a, b < m.
  .globl regroup_adx_difference16
  .hidden regroup_adx_difference16
  .type regroup_adx_difference16, @function
  .p2align 6
regroup_adx_difference16:
  _CET_ENDBR
  ENTER
  xorl %ebx, %ebx
  .set at, 0
  .rept 16
  movq at(%rsi), %rax
  sbbq at(%rdx), %rax
  movq %rax, (T+at)(%rsp)
  .set at, at+8
  .endr
  sbbq %rbx, %rbx                         // all ones when a < b
  .set at, 0
  .rept 16
  movq at(%rcx), %rax
  andq %rbx, %rax
  movq %rax, (T+128+at)(%rsp)
  .set at, at+8
  .endr
  xorl %eax, %eax
  .set at, 0
  .rept 16
  movq (T+at)(%rsp), %rax
  adcq (T+128+at)(%rsp), %rax
  movq %rax, at(%rdi)
  .set at, at+8
  .endr
  LEAVE_AND_RETURN
  .size regroup_adx_difference16, .-regroup_adx_difference16

// Adds the entry at \at(%rsi) to the sum in \sum, if the mask in ymm12 is all ones.
.macro TAKE at, sum
  vpand (\at)(%rsi), %ymm12, %ymm15
  vpor %ymm15, \sum, \sum
.endm
// ymm12 = whether ymm13, the number of this entry, is the index in ymm14; then the next number.
.macro NEXT_MASK
  vpcmpeqq %ymm13, %ymm14, %ymm12
  vpaddq one(%rip), %ymm13, %ymm13
.endm
.macro BEGIN_CHOICE
  vmovq %rcx, %xmm14
  vpbroadcastq %xmm14, %ymm14
  vpxor %xmm13, %xmm13, %xmm13
.endm
.macro CLEAR_AND_RETURN
  vzeroall
  ret
.endm

// void regroup_adx_choose48(out, entries, count, index): 48 limbs out of count entries of 48; every one is read.
  .globl regroup_adx_choose48
  .hidden regroup_adx_choose48
  .type regroup_adx_choose48, @function
  .p2align 6
regroup_adx_choose48:
  _CET_ENDBR
  BEGIN_CHOICE
  vpxor %xmm0, %xmm0, %xmm0
  vpxor %xmm1, %xmm1, %xmm1
  vpxor %xmm2, %xmm2, %xmm2
  vpxor %xmm3, %xmm3, %xmm3
  vpxor %xmm4, %xmm4, %xmm4
  vpxor %xmm5, %xmm5, %xmm5
  vpxor %xmm6, %xmm6, %xmm6
  vpxor %xmm7, %xmm7, %xmm7
  vpxor %xmm8, %xmm8, %xmm8
  vpxor %xmm9, %xmm9, %xmm9
  vpxor %xmm10, %xmm10, %xmm10
  vpxor %xmm11, %xmm11, %xmm11
1:
  NEXT_MASK
  TAKE 0, %ymm0
  TAKE 32, %ymm1
  TAKE 64, %ymm2
  TAKE 96, %ymm3
  TAKE 128, %ymm4
  TAKE 160, %ymm5
  TAKE 192, %ymm6
  TAKE 224, %ymm7
  TAKE 256, %ymm8
  TAKE 288, %ymm9
  TAKE 320, %ymm10
  TAKE 352, %ymm11
  addq $384, %rsi
  decq %rdx
  jnz 1b                                  // a number of entries, which is public
  vmovdqu %ymm0, (%rdi)
  vmovdqu %ymm1, 32(%rdi)
  vmovdqu %ymm2, 64(%rdi)
  vmovdqu %ymm3, 96(%rdi)
  vmovdqu %ymm4, 128(%rdi)
  vmovdqu %ymm5, 160(%rdi)
  vmovdqu %ymm6, 192(%rdi)
  vmovdqu %ymm7, 224(%rdi)
  vmovdqu %ymm8, 256(%rdi)
  vmovdqu %ymm9, 288(%rdi)
  vmovdqu %ymm10, 320(%rdi)
  vmovdqu %ymm11, 352(%rdi)
  CLEAR_AND_RETURN
  .size regroup_adx_choose48, .-regroup_adx_choose48

// void regroup_adx_choose16(out, entries, count, index): the same for entries of 16 limbs.
  .globl regroup_adx_choose16
  .hidden regroup_adx_choose16
  .type regroup_adx_choose16, @function
  .p2align 6
regroup_adx_choose16:
  _CET_ENDBR
  BEGIN_CHOICE
  vpxor %xmm0, %xmm0, %xmm0
  vpxor %xmm1, %xmm1, %xmm1
  vpxor %xmm2, %xmm2, %xmm2
  vpxor %xmm3, %xmm3, %xmm3
1:
  NEXT_MASK
  TAKE 0, %ymm0
  TAKE 32, %ymm1
  TAKE 64, %ymm2
  TAKE 96, %ymm3
  addq $128, %rsi
  decq %rdx
  jnz 1b
  vmovdqu %ymm0, (%rdi)
  vmovdqu %ymm1, 32(%rdi)
  vmovdqu %ymm2, 64(%rdi)
  vmovdqu %ymm3, 96(%rdi)
  CLEAR_AND_RETURN
  .size regroup_adx_choose16, .-regroup_adx_choose16

  .section .rodata
  .p2align 5
one:
  .quad 1, 1, 1, 1

  .section .note.GNU-stack, "", @progbits
