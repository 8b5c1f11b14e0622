// Risk
