/** `npm run pack`: the package `dist/waybill-VERSION.tgz`, for `npm install -g`. */
import { developmentCommand } from './development-command.ts';
import { outputFolder, packageFolder, run, stagePackage } from './stage.ts';

developmentCommand('npm run pack', 'The package dist/waybill-VERSION.tgz, for `npm install -g`.').parse();
stagePackage();
run('npm', ['pack', '--pack-destination', outputFolder, '--loglevel=error'], packageFolder);
