import { RunCode, type Run } from '@berth/contract';

/** Code in a session: answers what the test says, one after the other. */
export class StandInRuns {
  readonly asked: ReturnType<typeof RunCode.parse>[] = [];
  readonly answers: Partial<Run>[] = [];
  interrupts = 0;

  /** Without anything to tell it goes on, until it is interrupted. */
  answer(body: unknown): Run {
    const asked = RunCode.parse(body);
    this.asked.push(asked);
    const interrupted: Partial<Run> = { status: 'finished', exitCode: 0, raised: true };
    const next = this.answers.shift() ?? (this.interrupts > 0 ? interrupted : {});
    return {
      runId: asked.runId ?? 'made-there',
      status: 'continued',
      exitCode: null,
      raised: false,
      isPassword: false,
      console: [],
      ...next,
    };
  }

  interrupt(): void {
    this.interrupts += 1;
  }
}
