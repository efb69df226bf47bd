/** What a process counts of the text index. */
import { counter, gauge } from '../../shared/metrics/metrics.ts';

/** By what searches of texts were answered. */
export const searches = counter({ name: 'waybill_text_index_questions', help: 'Questions about texts of a mailbox, by who could answer: the index, the index and a look into messages, or nobody but the messages.', labels: ['by'] });
export const damaged = counter({ name: 'waybill_text_index_damaged', help: 'Indexes of mailboxes that were not as they had been written, and were set aside.' });
export const indexed = counter({ name: 'waybill_text_index_messages_indexed', help: 'Messages that came into the text index.' });
export const passes = counter({ name: 'waybill_text_index_passes', help: 'Passes of the indexer, by their end.', labels: ['result'] });
export const passSeconds = counter({ name: 'waybill_text_index_pass_seconds', unit: 'seconds', help: 'How long the indexer was at work.' });
export const backlog = gauge({ name: 'waybill_text_index_backlog', help: 'Messages of indexed mailboxes that are in no index yet, after the last pass. They are looked into.', combine: 'max' });
