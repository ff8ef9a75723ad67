//! A system without threads to spare.

use crate::support::Program;

#[test]
fn c8_a_start_without_threads_reports_the_error() {
    // 256 stacks of 64 MiB do not fit into a gigabyte: the system refuses one of the threads. The rest of the address
    // space is enough for everything else.
    let before = "export RUST_MIN_STACK=67108864 MALLOC_ARENA_MAX=1; ulimit -v 1000000; ";
    let mut program = Program::start_by_shell(before, &["--port=0", "--worker=256"], "");
    let (code, output, errors) = program.wait();
    assert_eq!((code, output.len()), (Some(1), 0), "it does not serve: {output:?} {errors}");
    assert!(errors.starts_with("chat-server: the system has no"), "{errors}");
    assert!(errors.contains(" of 256 workers started: "), "{errors}");
    assert_eq!(errors.lines().count(), 1, "{errors}");
}
