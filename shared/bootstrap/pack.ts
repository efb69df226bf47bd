/** `npm run pack`: the package `dist/waybill-VERSION.tgz`, for `npm install -g`. */
import { outputFolder, packageFolder, run, stagePackage } from './stage.ts';

stagePackage();
run('npm', ['pack', '--pack-destination', outputFolder, '--loglevel=error'], packageFolder);
