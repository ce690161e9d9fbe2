import type { Command } from 'commander';

const repeat = (value: string, previous: readonly string[]): string[] => [...previous, value];

/** What sessions and jobs have in common. */
export function launchOptions(command: Command): Command {
  return command
    .showHelpAfterError('A command to be run goes behind "--", with its own options. See also --help.')
    .argument('[command...]', 'run this instead of a shell; put -- before it')
    .option('--name <name>', 'a name to call it by')
    .option('--image <image>', 'docker://REF; without it the default of the installation')
    .option('--pull <when>', 'always, missing or never', 'missing')
    .option('--cpus <n>', 'CPUs to reserve: 2, 0.5, 500m')
    .option('--gpus <n>', 'GPUs to reserve')
    .option('--memory <size>', 'memory to reserve: 512MiB, 2.5GiB')
    .option('--shared-memory <size>', 'size of /dev/shm')
    .option('-e, --env <name=value>', 'a variable, readable by whoever inspects the container (repeatable)', repeat, [])
    .option('--mount <storage>', 'a storage as NAME[:/FOLDER][:ro]; the folder is /work/NAME without one (repeatable)', repeat, [])
    .option('--cluster-size <n>', 'so many containers: main1, which runs the command, sub1, sub2, ..., each with these resources')
    .option('--cluster-mode <mode>', 'single-node (all on one) or multi-node (each wherever there is room)')
    .option('--node <node>', 'run on this node')
    .option('--egress <way>', 'what it may reach: open (the Internet) or none', 'open')
    .option('--port <port>', 'it runs when this port answers')
    .option(
      '--expose <service>',
      'a service inside, as [NAME:]PORT[/http|tcp]: nothing of this machine is opened by it (repeatable)',
      repeat,
      [],
    )
    .option('--bootstrap <file>', 'a script that runs inside before the command does, whenever the container starts: at most 16 KiB')
    .option('--architecture <name>', 'of the machine: x86_64, aarch64, ...')
    .option('--workdir <path>', 'folder inside in which it starts')
    .option('--project <project>', 'name or id; without it your own')
    .option('--timeout <duration>', 'give up when it has waited this long for a place: 10m')
    .option('--tag <tag>', 'a word of your own, shown with it')
    .option('--callback-url <url>', 'http or https: told of each step of its life')
    .option('--after <session>', 'start when this batch session has succeeded (repeatable)', repeat, [])
    .option('--starts-at <time>', 'batch: not before 2026-12-24T18:00Z, or 5m, 1d 2h from now')
    .option('--max-run-time <duration>', 'batch: end it when its command runs longer: 90m')
    .option('--retry', 'batch: run the command again when the engine was restarted under it')
    .option('--keep-entrypoint', "hand the command to the image's entry point instead of replacing it");
}
