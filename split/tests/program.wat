;; A small program with what a linked Rust program has: imports, a table of functions, statics with addresses
;; in them, a stack pointer, and functions that do different things for different arguments.
(module
  (import "host" "print" (func $print (param i32)))
  (type $unary (func (param i32) (result i32)))
  (table 4 4 funcref)
  (memory (export "memory") 2)
  (global $stack (mut i32) (i32.const 4096))

  ;; Statics, one segment each: a table of eight numbers, a text, and a static that points to the text.
  (data (i32.const 8192) "\01\00\00\00\02\00\00\00\03\00\00\00\05\00\00\00\08\00\00\00\0d\00\00\00\15\00\00\00\22\00\00\00")
  (data (i32.const 8224) "ports")
  (data (i32.const 8232) "\20\20\00\00\05\00\00\00")
  (data (i32.const 8240) "aside")
  (elem (i32.const 1) $double $square $deep)

  (func $double (type $unary) (i32.shl (local.get 0) (i32.const 1)))
  (func $square (type $unary) (call $print (local.get 0)) (i32.mul (local.get 0) (local.get 0)))
  ;; Uses the stack pointer and calls itself.
  (func $deep (type $unary) (local $frame i32)
    (local.set $frame (i32.sub (global.get $stack) (i32.const 16)))
    (global.set $stack (local.get $frame))
    (i32.store (local.get $frame) (local.get 0))
    (if (i32.gt_s (local.get 0) (i32.const 0))
      (then
        (i32.store (local.get $frame)
          (i32.add (i32.load (local.get $frame)) (call $deep (i32.sub (local.get 0) (i32.const 1)))))))
    (global.set $stack (i32.add (local.get $frame) (i32.const 16)))
    (i32.load (local.get $frame)))

  ;; Sums the table from its end: the code mentions the end, not the table.
  (func $sum (result i32) (local $at i32) (local $sum i32)
    (local.set $at (i32.const -32))
    (loop $next
      (local.set $sum (i32.add (local.get $sum) (i32.load (i32.add (local.get $at) (i32.const 8224)))))
      (br_if $next (local.tee $at (i32.add (local.get $at) (i32.const 4)))))
    (local.get $sum))

  ;; The letters of the text, through the static that points to it.
  (func $letters (result i32) (local $at i32) (local $left i32) (local $sum i32)
    (local.set $at (i32.load (i32.const 8232)))
    (local.set $left (i32.load (i32.const 8236)))
    (block $done
      (loop $next
        (br_if $done (i32.eqz (local.get $left)))
        (local.set $sum (i32.add (local.get $sum) (i32.load8_u (local.get $at))))
        (local.set $at (i32.add (local.get $at) (i32.const 1)))
        (local.set $left (i32.sub (local.get $left) (i32.const 1)))
        (br $next)))
    (local.get $sum))

  ;; Tails of every kind: they fall through, return, branch out, go on with a loop, trap, and give locals back.
  (func $ways (param $case i32) (param $n i32) (result i32) (local $sum i32) (local $i i32)
    (local.set $i (local.get $n))
    (block $out (result i32)
      (loop $again
        (if (i32.eq (local.get $case) (i32.const 1))
          (then
            (local.set $sum (i32.add (local.get $sum) (i32.mul (local.get $i) (local.get $i))))
            (call $print (i32.add (local.get $sum) (i32.const 100)))
            (local.set $i (i32.sub (local.get $i) (i32.const 1)))
            (call $print (i32.add (local.get $i) (i32.const 200)))
            (br_if $again (i32.gt_s (local.get $i) (i32.const 0)))
            (br $out (i32.add (local.get $sum) (i32.const 1000000))))
          (else
            (if (i32.eq (local.get $case) (i32.const 2))
              (then
                (call $print (i32.add (i32.const 300) (i32.mul (local.get $i) (i32.const 3))))
                (call $print (i32.add (i32.const 301) (i32.mul (local.get $i) (i32.const 5))))
                (if (i32.gt_s (local.get $n) (i32.const 2))
                  (then (return (i32.mul (local.get $n) (i32.const 77777)))))
                (local.set $sum (i32.add (local.get $sum) (i32.const 123456)))
                (call $print (i32.add (i32.const 302) (i32.mul (local.get $sum) (i32.const 7))))))))
        (if (i32.eq (local.get $case) (i32.const 3))
          (then
            (call $print (i32.add (i32.const 400) (i32.mul (local.get $i) (i32.const 11))))
            (local.set $i (i32.sub (local.get $i) (i32.const 1)))
            (block $a (block $b (block $c
              (br_table $a $b $c $again (local.get $i)))
              (local.set $sum (i32.add (local.get $sum) (i32.const 20000))))
              (local.set $sum (i32.add (local.get $sum) (i32.const 3000))))
            (call $print (i32.add (i32.const 401) (local.get $sum)))
            (br $out (i32.add (local.get $sum) (i32.const 400)))))
        (if (i32.eq (local.get $case) (i32.const 4))
          (then
            (call $print (i32.add (i32.const 500) (i32.mul (local.get $i) (i32.const 13))))
            (call $print (i32.add (i32.const 501) (i32.mul (local.get $i) (i32.const 17))))
            (call $print (i32.add (i32.const 502) (i32.mul (local.get $i) (i32.const 19))))
            (unreachable))))
      (i32.add (local.get $sum) (i32.const 1))))

  ;; A value of the block is on the stack where the tail begins.
  (func $on_the_stack (param $n i32) (result i32)
    i32.const 5
    (block $early (result i32)
      (i32.mul (local.get $n) (i32.const 2))
      (br_if $early (i32.lt_s (local.get $n) (i32.const 3)))
      (call $print (i32.add (i32.const 600) (i32.mul (local.get $n) (i32.const 23))))
      (call $print (i32.add (i32.const 601) (i32.mul (local.get $n) (i32.const 29))))
      (call $print (i32.add (i32.const 602) (i32.mul (local.get $n) (i32.const 31))))
      (i32.add (i32.mul (local.get $n) (i32.const 1009)))
      (call $double))
    i32.add)

  (func (export "run") (param $what i32) (param $n i32) (result i32)
    (block $6 (block $5 (block $4 (block $3 (block $2 (block $1 (block $0
      (br_table $0 $1 $2 $3 $4 $5 $6 (local.get $what)))
      (return (call_indirect (type $unary) (local.get $n) (i32.const 1))))
      (return (call_indirect (type $unary) (local.get $n) (i32.const 2))))
      (return (call_indirect (type $unary) (local.get $n) (i32.const 3))))
      (return (call $sum)))
      (return (call $letters)))
      (return (call $on_the_stack (local.get $n))))
    (call $ways (i32.sub (local.get $what) (i32.const 6)) (local.get $n)))
)
