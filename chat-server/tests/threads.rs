//! A system that has no threads to give.

mod common;

use common::Program;

#[test]
fn c8_a_start_without_threads_is_an_error_that_says_so() {
    // 256 stacks of 2 MiB do not fit in 200 MiB: the system refuses one of the threads.
    let mut program =
        Program::start_by_shell("ulimit -v 204800; ", &["--port=0", "--worker=256"], "");
    let (code, output, errors) = program.wait();
    assert_eq!((code, output.len()), (Some(1), 0), "it does not serve: {output:?} {errors}");
    assert!(errors.starts_with("chat-server: the system has no"), "{errors}");
    assert!(errors.contains(" of 256 workers started: "), "{errors}");
    assert_eq!(errors.lines().count(), 1, "{errors}");
}
