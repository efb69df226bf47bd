/** `waybill config …`: what can be typed, and how it is explained. */
import type { Command } from 'commander';
import { addDraftCommands } from './draft.ts';
import { addPublishCommands } from './publish.ts';
import { defaultConfig, print } from './terminal.ts';

export function addConfigCommands(program: Command): void {
  const config = program.command('config').description('Check, show, explain and publish cluster configurations.');
  addPublishCommands(config);
  addDraftCommands(config);

  config
    .command('check')
    .description('Check a configuration: every mistake is named with line and column. Exit code 1 when there is one.')
    .argument('[file]', 'the configuration', defaultConfig)
    .option('--node <name>', 'this machine is that node: its certificates have to be here')
    .option('--against <file>', 'the configuration in use, or the bootstrap file that leads to it: says what would wait for a restart')
    .addHelpText('after', '\nExamples:\n  $ waybill config check /etc/waybill/waybill.yaml\n  $ waybill config check /etc/waybill/waybill.yaml --node fe1')
    .action(async (file: string, options: { node?: string; against?: string }) => {
      const { checkText } = await import('../config-command.ts');
      print(await checkText(file, options, (warning) => process.stderr.write(`waybill: ${warning}\n`)));
    });

  config
    .command('show')
    .description('Show what nodes are started with: all layers and defaults together. Secrets are never shown.')
    .argument('[file]', 'the configuration', defaultConfig)
    .option('--node <name>', 'only this node')
    .option('--json', 'as JSON instead of YAML')
    .addHelpText('after', '\nExamples:\n  $ waybill config show --node fe1\n  $ waybill config show /etc/waybill/waybill.yaml --json')
    .action(async (file: string, options: { node?: string; json?: boolean }) => {
      const { showText } = await import('../config-command.ts');
      print(await showText(file, options));
    });

  config
    .command('reference')
    .description('Print the reference page of all parameters (docs/parameters.md), or a JSON Schema for editors.')
    .option('--json-schema', 'the JSON Schema (docs/waybill.schema.json)')
    .addHelpText('after', '\nExample:\n  $ waybill config reference --json-schema > waybill.schema.json')
    .action(async (options: { jsonSchema?: boolean }) => {
      const { referenceText } = await import('../config-command.ts');
      print(referenceText(options));
    });
}
