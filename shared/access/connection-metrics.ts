/** Connections as the node's counters tell them: open, accepted, and refused by reason, for each listener. */
import { counter, gauge } from '../metrics/metrics.ts';

const labels = ['service', 'listener'] as const;

export const openConnections = gauge({ name: 'waybill_connections_open', help: 'Connections that are open, by listener: of each service the same ones as in waybill_…_inbound_connection_open.', labels });
export const acceptedConnections = counter({ name: 'waybill_connections_accepted', help: 'Connections that were let in, by listener: of each service the same ones as in waybill_…_inbound_connection.', labels });
export const refusedConnections = counter({ name: 'waybill_connections_refused', help: 'Connections that were refused: denied by a rule, or because of the limit that is named. Counted here only.', labels: [...labels, 'reason'] });
