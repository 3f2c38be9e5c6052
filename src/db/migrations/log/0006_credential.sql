ALTER TABLE `ledger_entries` ADD `credential` text;
