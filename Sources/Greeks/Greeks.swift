// Greeks
