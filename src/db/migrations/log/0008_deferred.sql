CREATE INDEX `ledger_entries_corrected` ON `ledger_entries` (`sequence`) WHERE kind = 'correction';--> statement-breakpoint
CREATE INDEX `ledger_entries_deferred` ON `ledger_entries` (`sequence`) WHERE provenance = 'deferred';
