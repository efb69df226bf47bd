/** A directory whose answers can't be believed, while logins and deliveries run. */
import { spoiltAnswers } from './faults.ts';
import { faultsSuite } from './suite.ts';

faultsSuite(spoiltAnswers);
