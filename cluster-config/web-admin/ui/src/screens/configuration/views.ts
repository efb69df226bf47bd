/** What the admin API answers about the configuration, from its own contract. */
import type { z } from 'zod';
import type { configurationOperations } from '../../../../../admin/contract/configuration.ts';
import type { publishingOperations, standingSchema, versionFactsSchema } from '../../../../../admin/contract/publishing.ts';
import type { Answer } from '../../views.ts';

export type PresentView = Answer<typeof configurationOperations.readConfiguration>;
export type CheckView = Answer<typeof configurationOperations.checkConfiguration>;
export type Finding = CheckView['problems'][number];
export type Waiting = CheckView['restarts'];
export type PlaceView = Answer<typeof configurationOperations.locateParameter>;
export type EffectiveView = Answer<typeof configurationOperations.showConfiguration>;
export type VersionsView = Answer<typeof publishingOperations.listVersions>;
export type VersionFacts = z.output<typeof versionFactsSchema>;
export type DiffView = Answer<typeof publishingOperations.compareVersions>;
export type Hunk = DiffView['hunks'][number];
export type PublishedView = Answer<typeof publishingOperations.publishConfiguration>;
export type StatusView = Answer<typeof publishingOperations.configurationStatus>;
export type Standing = z.output<typeof standingSchema>;
