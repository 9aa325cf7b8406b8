const thousands = (column) => `ROUND(${column} / 1000)`;
module.exports = { thousands };
