INSERT OR IGNORE INTO temp.activity
SELECT experiment, day, 0, 0, 0, changes FROM main.activity
