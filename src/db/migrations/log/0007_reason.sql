ALTER TABLE `ledger_entries` ADD `reason` text;
