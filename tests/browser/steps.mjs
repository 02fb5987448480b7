// Steps: a line for each, and the end of the run at the first that fails.

/** Something that a page, or the service behind it, did not keep. */
export class Broken extends Error {}

/** Fails the step that runs unless `holds`. */
export function expect(holds, what) {
  if (!holds) throw new Broken(what);
}

/** Fails unless both are the same, compared as JSON. */
export function expectSame(found, wanted, what) {
  const [left, right] = [found, wanted].map((value) => JSON.stringify(value));
  if (left !== right) throw new Broken(`${what}: expected ${right}, found ${left}`);
}

/** Counts steps and prints a line for each. */
export class Steps {
  #passed = 0;
  #failed = 0;

  /** Runs a step. What it throws ends the run, after its line. */
  async run(name, work) {
    try {
      const result = await work();
      this.#passed += 1;
      console.log(`ok      ${name}`);
      return result;
    } catch (problem) {
      this.#failed += 1;
      console.log(`FAILED  ${name}`);
      console.log(problem instanceof Broken ? problem.message : problem.stack);
      throw problem;
    }
  }

  /** The last line. Counts a failure outside any step as one. */
  end(problem) {
    if (problem && this.#failed === 0) {
      console.log(problem.stack ?? String(problem));
      this.#failed = 1;
    }
    console.log(`${this.#passed} passed, ${this.#failed} failed`);
    return this.#failed === 0;
  }
}
