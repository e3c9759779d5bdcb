// Ends with whoever started it, however that ended: its standard input is a pipe of the test, which nobody writes to.
if (require("node:worker_threads").isMainThread) {
  process.stdin.on("end", () => process.exit()).resume();
}
